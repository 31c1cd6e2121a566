using System.Globalization;
using System.Runtime.CompilerServices;
using BasiqFunctions.Data;

namespace BasiqFunctions.Tests.Data;

/// <summary>Blobs in memory, for tests that publish thousands of times.</summary>
internal sealed class MemorySnapshotStorage(TimeProvider clock) : ISnapshotStorage
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, (byte[] Content, string ETag, DateTimeOffset At)> _blobs = new(StringComparer.Ordinal);
    private long _written;

    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate)
                return [.. _blobs.Keys];
        }
    }

    public Task<SnapshotBlobWriter> OpenWriteAsync(string name, CancellationToken cancellationToken) =>
        Task.FromResult<SnapshotBlobWriter>(new Writer(this, SnapshotBlobName.Check(name)));

    public Task<SnapshotBlob?> ReadAsync(string name, CancellationToken cancellationToken) =>
        Task.FromResult(Find(name) is { } blob ? new SnapshotBlob(blob.Content, blob.ETag) : null);

    public Task<int?> ReadRangeAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (Find(name) is not { } blob)
            return Task.FromResult<int?>(null);
        var part = blob.Content.AsSpan((int)Math.Min(offset, blob.Content.Length));
        part = part[..Math.Min(part.Length, destination.Length)];
        part.CopyTo(destination.Span);
        return Task.FromResult<int?>(part.Length);
    }

    public Task<bool> ExistsAsync(string name, CancellationToken cancellationToken) => Task.FromResult(Find(name) is not null);

    public Task<string?> TryPutAsync(string name, ReadOnlyMemory<byte> content, string? ifMatch, CancellationToken cancellationToken)
    {
        lock (_gate)
            return Task.FromResult(Find(name)?.ETag == ifMatch ? Put(name, content.ToArray()) : null);
    }

    public Task<bool> TryDeleteAsync(string name, string ifMatch, CancellationToken cancellationToken)
    {
        lock (_gate)
            return Task.FromResult(Find(name)?.ETag == ifMatch && _blobs.Remove(name));
    }

    public async IAsyncEnumerable<SnapshotBlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        SnapshotBlobName.CheckPrefix(prefix);
        SnapshotBlobInfo[] found;
        lock (_gate)
            found = [.. _blobs.Where(blob => blob.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(blob => new SnapshotBlobInfo(blob.Key, blob.Value.Content.Length, blob.Value.At))];
        foreach (var blob in found)
            yield return blob;
        await Task.CompletedTask;
    }

    public Task<SnapshotFolders> ListFoldersAsync(string? continuation, CancellationToken cancellationToken) =>
        Task.FromResult(new SnapshotFolders([.. Names.Where(name => name.Contains('/', StringComparison.Ordinal)).Select(name => name.Split('/')[0]).Distinct()], null));

    public Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        lock (_gate)
            _blobs.Remove(SnapshotBlobName.Check(name));
        return Task.CompletedTask;
    }

    public Task DeleteByPrefixAsync(string prefix, CancellationToken cancellationToken)
    {
        SnapshotBlobName.CheckPrefix(prefix);
        lock (_gate)
        {
            foreach (var name in Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
                _blobs.Remove(name);
        }

        return Task.CompletedTask;
    }

    private (byte[] Content, string ETag)? Find(string name)
    {
        SnapshotBlobName.Check(name);
        lock (_gate)
            return _blobs.TryGetValue(name, out var blob) ? (blob.Content, blob.ETag) : null;
    }

    private string Put(string name, byte[] content)
    {
        lock (_gate)
        {
            var etag = (++_written).ToString(CultureInfo.InvariantCulture);
            _blobs[name] = (content, etag, clock.GetUtcNow());
            return etag;
        }
    }

    private sealed class Writer(MemorySnapshotStorage storage, string name) : SnapshotBlobWriter
    {
        private readonly MemoryStream _content = new();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => _content.WriteAsync(bytes, cancellationToken);

        public override Task CommitAsync(CancellationToken cancellationToken)
        {
            storage.Put(name, _content.ToArray());
            return Task.CompletedTask;
        }

        public override ValueTask DisposeAsync() => _content.DisposeAsync();
    }
}
