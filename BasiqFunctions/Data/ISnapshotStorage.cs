namespace BasiqFunctions.Data;

/// <summary>
/// A flat namespace of blobs: the part of the snapshot store that differs by host. What the blobs mean is <see
/// cref="SnapshotManifests"/>' business.
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
    /// The same for who has it as it was under <paramref name="knownETag"/>: where that is its etag still, the content may be left out.
    /// </summary>
    Task<SnapshotBlob?> ReadUnlessAsync(string name, string knownETag, CancellationToken cancellationToken) => ReadAsync(name, cancellationToken);

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

/// <summary>A blob's content and the etag that a conditional write must name.</summary>
public sealed record SnapshotBlob(ReadOnlyMemory<byte> Content, string ETag);

/// <summary>A blob as a listing shows it. <paramref name="Length"/> is in bytes.</summary>
public sealed record SnapshotBlobInfo(string Name, long Length, DateTimeOffset LastModified);

/// <summary>Some of the top folders of a storage.</summary>
/// <param name="Names">Their names.</param>
/// <param name="Next">What to go on with; null when that was all.</param>
public sealed record SnapshotFolders(IReadOnlyList<string> Names, string? Next);

/// <summary>A blob being written. Disposed without <see cref="CommitAsync"/>, it never existed.</summary>
public abstract class SnapshotBlobWriter : IAsyncDisposable
{
    /// <summary>Appends; the bytes may be reused by the caller once the task has completed.</summary>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Makes the blob durable and visible in one step. At most once.</summary>
    public abstract Task CommitAsync(CancellationToken cancellationToken);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
