using System.Runtime.CompilerServices;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.LocalHost.Data;

/// <summary>
/// Tells a disk that fails from one that works, so that nobody takes the one for a fault of the app's: what the file system throws
/// becomes a <see cref="StoreUnavailableException"/>, and where the folder itself is gone, its blobs do not count as missing.
/// </summary>
internal sealed class ReachableSnapshotStorage(ISnapshotStorage inner, string folder) : ISnapshotStorage
{
    private const string Store = "snapshots";

    public async Task<SnapshotBlobWriter> OpenWriteAsync(string name, CancellationToken cancellationToken) =>
        new Writer(await RunAsync(() => inner.OpenWriteAsync(name, cancellationToken)));

    public Task<SnapshotBlob?> ReadAsync(string name, CancellationToken cancellationToken) =>
        RunAsync(async () => await inner.ReadAsync(name, cancellationToken) ?? Missing<SnapshotBlob?>(null));

    public Task<int?> ReadRangeAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        RunAsync(async () => await inner.ReadRangeAsync(name, offset, destination, cancellationToken) ?? Missing<int?>(null));

    public Task<bool> ExistsAsync(string name, CancellationToken cancellationToken) =>
        RunAsync(async () => await inner.ExistsAsync(name, cancellationToken) || Missing(false));

    public Task<string?> TryPutAsync(string name, ReadOnlyMemory<byte> content, string? ifMatch, CancellationToken cancellationToken) =>
        RunAsync(() => inner.TryPutAsync(name, content, ifMatch, cancellationToken));

    public Task<bool> TryDeleteAsync(string name, string ifMatch, CancellationToken cancellationToken) =>
        RunAsync(async () => await inner.TryDeleteAsync(name, ifMatch, cancellationToken) || Missing(false));

    public async IAsyncEnumerable<SnapshotBlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var blobs = inner.ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var _ = blobs;
        var any = false;
        while (await RunAsync(async () => await blobs.MoveNextAsync()))
        {
            any = true;
            yield return blobs.Current;
        }

        if (!any)
            Missing(false);
    }

    public Task<SnapshotFolders> ListFoldersAsync(string? continuation, CancellationToken cancellationToken) =>
        RunAsync(() => inner.ListFoldersAsync(continuation, cancellationToken));

    public Task DeleteAsync(string name, CancellationToken cancellationToken) =>
        RunAsync(async () =>
        {
            await inner.DeleteAsync(name, cancellationToken);
            return Missing(true);
        });

    public Task DeleteByPrefixAsync(string prefix, CancellationToken cancellationToken) =>
        RunAsync(async () =>
        {
            await inner.DeleteByPrefixAsync(prefix, cancellationToken);
            return Missing(true);
        });

    private static async Task<T> RunAsync<T>(Func<Task<T>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException(Store, StoreUnavailableException.CodeOf(exception)!, exception);
        }
    }

    /// <summary>An answer that is true of a folder that is there.</summary>
    private T Missing<T>(T answer) =>
        Directory.Exists(folder) ? answer : throw new StoreUnavailableException(Store, StoreUnavailableException.OutOfReach);

    private sealed class Writer(SnapshotBlobWriter inner) : SnapshotBlobWriter
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
            await RunAsync(async () =>
            {
                await inner.WriteAsync(bytes, cancellationToken);
                return true;
            });

        public override Task CommitAsync(CancellationToken cancellationToken) =>
            RunAsync(async () =>
            {
                await inner.CommitAsync(cancellationToken);
                return true;
            });

        public override async ValueTask DisposeAsync() =>
            await RunAsync(async () =>
            {
                await inner.DisposeAsync();
                return true;
            });
    }
}
