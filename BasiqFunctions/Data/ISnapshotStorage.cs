namespace BasiqFunctions.Data;

/// <summary>
/// A flat namespace of blobs: the part of the snapshot store that differs by host. What the blobs mean is <see
/// cref="SnapshotStore"/>'s business.
/// </summary>
/// <remarks>
/// A name is segments joined by <c>/</c>, each of ASCII letters, digits, <c>-</c>, <c>_</c> and <c>.</c>, not starting with a
/// dot; anything else is an <see cref="ArgumentException"/>. Names differ by case. A prefix is a name ending in <c>/</c>, or
/// empty for everything.
/// </remarks>
public interface ISnapshotStorage
{
    /// <summary>
    /// Starts to write a blob that nobody sees before <see cref="SnapshotBlobWriter.CommitAsync"/>, which replaces any blob of
    /// that name at once.
    /// </summary>
    Task<SnapshotBlobWriter> OpenWriteAsync(string name, CancellationToken cancellationToken);

    /// <summary>Reads a whole (small) blob; null when there is none.</summary>
    Task<SnapshotBlob?> ReadAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// Fills <paramref name="destination"/> with the blob's bytes from <paramref name="offset"/>. Returns how many there were,
    /// fewer than asked only when the blob ends before; null when there is no such blob.
    /// </summary>
    Task<int?> ReadRangeAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Whether the blob exists.</summary>
    Task<bool> ExistsAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// Writes a whole blob in one step if its etag still is <paramref name="ifMatch"/> (null: if there is no such blob).
    /// Returns the new etag; null when the condition did not hold, and then nothing was written.
    /// </summary>
    Task<string?> TryPutAsync(string name, ReadOnlyMemory<byte> content, string? ifMatch, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes the blob if its etag still is <paramref name="ifMatch"/>. Returns false when it is another one, or gone.
    /// </summary>
    Task<bool> TryDeleteAsync(string name, string ifMatch, CancellationToken cancellationToken);

    /// <summary>The blobs under a prefix, in no promised order.</summary>
    IAsyncEnumerable<SnapshotBlobInfo> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>The first segments of the names there are, some thousand at a time, whatever lies under each.</summary>
    /// <param name="continuation">What the page before said; null for the first.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<SnapshotFolders> ListFoldersAsync(string? continuation, CancellationToken cancellationToken);

    /// <summary>Deletes a blob; nothing happens when there is none.</summary>
    Task DeleteAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes every blob under a prefix, and whatever writes begun there have left; on return a listing is empty unless somebody
    /// wrote meanwhile.
    /// </summary>
    Task DeleteByPrefixAsync(string prefix, CancellationToken cancellationToken);
}
