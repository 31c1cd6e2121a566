using BasiqFunctions.Data;

namespace BasiqFunctions.Tests.Data;

/// <summary>
/// A storage in which a test can let something happen right before or after a step, make the step fail, and count what is read.
/// </summary>
internal sealed class InterceptedStorage(ISnapshotStorage inner) : ISnapshotStorage
{
    private long _bytesRead;

    /// <summary>Called with the step's name and the blob's; what it throws, the step throws.</summary>
    public Func<string, string, Task>? Before { get; set; }

    public Func<string, string, Task>? After { get; set; }

    public long BytesRead => Interlocked.Read(ref _bytesRead);

    public Task<SnapshotBlobWriter> OpenWriteAsync(string name, CancellationToken cancellationToken) =>
        AroundAsync("open-write", name, () => inner.OpenWriteAsync(name, cancellationToken));

    public Task<SnapshotBlob?> ReadAsync(string name, CancellationToken cancellationToken) =>
        AroundAsync("read", name, () => inner.ReadAsync(name, cancellationToken));

    public Task<int?> ReadRangeAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Interlocked.Add(ref _bytesRead, destination.Length);
        return AroundAsync("read-range", name, () => inner.ReadRangeAsync(name, offset, destination, cancellationToken));
    }

    public Task<bool> ExistsAsync(string name, CancellationToken cancellationToken) =>
        AroundAsync("exists", name, () => inner.ExistsAsync(name, cancellationToken));

    public Task<string?> TryPutAsync(string name, ReadOnlyMemory<byte> content, string? ifMatch, CancellationToken cancellationToken) =>
        AroundAsync("put", name, () => inner.TryPutAsync(name, content, ifMatch, cancellationToken));

    public Task<bool> TryDeleteAsync(string name, string ifMatch, CancellationToken cancellationToken) =>
        AroundAsync("try-delete", name, () => inner.TryDeleteAsync(name, ifMatch, cancellationToken));

    public IAsyncEnumerable<SnapshotBlobInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public Task<SnapshotFolders> ListFoldersAsync(string? continuation, CancellationToken cancellationToken) => inner.ListFoldersAsync(continuation, cancellationToken);

    public Task DeleteAsync(string name, CancellationToken cancellationToken) =>
        AroundAsync("delete", name, async () =>
        {
            await inner.DeleteAsync(name, cancellationToken);
            return true;
        });

    public Task DeleteByPrefixAsync(string prefix, CancellationToken cancellationToken) =>
        AroundAsync("delete-prefix", prefix, async () =>
        {
            await inner.DeleteByPrefixAsync(prefix, cancellationToken);
            return true;
        });

    private async Task<T> AroundAsync<T>(string step, string name, Func<Task<T>> run)
    {
        if (Before is { } before)
            await before(step, name);
        var result = await run();
        if (After is { } after)
            await after(step, name);
        return result;
    }
}
