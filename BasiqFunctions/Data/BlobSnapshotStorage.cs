using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace BasiqFunctions.Data;

/// <summary>Snapshots in Azure Blob Storage. Its etags are the service's.</summary>
internal sealed class BlobSnapshotStorage(BlobContainerClient container) : ISnapshotStorage
{
    private const int ParallelDeletes = 8;
    private const int NotModified = 304;

    private volatile bool _created;

    public async Task<SnapshotBlobWriter> OpenWriteAsync(string name, CancellationToken cancellationToken)
    {
        await EnsureContainerAsync(cancellationToken);
        return new BlockWriter(container.GetBlockBlobClient(SnapshotBlobName.Check(name)));
    }

    public Task<SnapshotBlob?> ReadAsync(string name, CancellationToken cancellationToken) => ReadAsync(name, null, cancellationToken);

    public Task<SnapshotBlob?> ReadUnlessAsync(string name, string knownETag, CancellationToken cancellationToken) =>
        ReadAsync(name, knownETag, cancellationToken);

    private async Task<SnapshotBlob?> ReadAsync(string name, string? knownETag, CancellationToken cancellationToken)
    {
        await EnsureContainerAsync(cancellationToken);
        var unlessKnown = knownETag is null ? null : new BlobRequestConditions { IfNoneMatch = new ETag(knownETag) };
        try
        {
            var answer = await container.GetBlobClient(SnapshotBlobName.Check(name)).DownloadContentAsync(unlessKnown, cancellationToken);
            return answer.GetRawResponse().Status == NotModified
                ? new SnapshotBlob(default, knownETag!)
                : new SnapshotBlob(answer.Value.Content.ToMemory(), answer.Value.Details.ETag.ToString());
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }

    public async Task<int?> ReadRangeAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await EnsureContainerAsync(cancellationToken);
        try
        {
            var range = new BlobDownloadOptions { Range = new HttpRange(offset, destination.Length) };
            var answer = await container.GetBlobClient(SnapshotBlobName.Check(name)).DownloadStreamingAsync(range, cancellationToken);
            using var download = answer.Value;
            return await download.Content.ReadAtLeastAsync(destination, destination.Length, throwOnEndOfStream: false, cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.InvalidRange)
        {
            return 0;
        }
    }

    public async Task<bool> ExistsAsync(string name, CancellationToken cancellationToken)
    {
        await EnsureContainerAsync(cancellationToken);
        return await container.GetBlobClient(SnapshotBlobName.Check(name)).ExistsAsync(cancellationToken);
    }

    public async Task<string?> TryPutAsync(string name, ReadOnlyMemory<byte> content, string? ifMatch, CancellationToken cancellationToken)
    {
        await EnsureContainerAsync(cancellationToken);
        var conditions = ifMatch is null
            ? new BlobRequestConditions { IfNoneMatch = ETag.All }
            : new BlobRequestConditions { IfMatch = new ETag(ifMatch) };
        try
        {
            var answer = await container.GetBlobClient(SnapshotBlobName.Check(name))
                .UploadAsync(BinaryData.FromBytes(content), new BlobUploadOptions { Conditions = conditions }, cancellationToken);
            return answer.Value.ETag.ToString();
        }
        catch (RequestFailedException e) when (IsUnmetCondition(e))
        {
            return null;
        }
    }

    public async Task<bool> TryDeleteAsync(string name, string ifMatch, CancellationToken cancellationToken)
    {
        await EnsureContainerAsync(cancellationToken);
        try
        {
            await container.GetBlobClient(SnapshotBlobName.Check(name)).DeleteAsync(
                DeleteSnapshotsOption.IncludeSnapshots, new BlobRequestConditions { IfMatch = new ETag(ifMatch) }, cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (IsUnmetCondition(e))
        {
            return false;
        }
    }

    public async IAsyncEnumerable<SnapshotBlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        SnapshotBlobName.CheckPrefix(prefix);
        await EnsureContainerAsync(cancellationToken);
        var options = new GetBlobsOptions { Prefix = prefix };
        await foreach (var blob in container.GetBlobsAsync(options, cancellationToken))
            yield return new SnapshotBlobInfo(blob.Name, blob.Properties.ContentLength ?? 0, blob.Properties.LastModified ?? DateTimeOffset.MaxValue);
    }

    public async Task<SnapshotFolders> ListFoldersAsync(string? continuation, CancellationToken cancellationToken)
    {
        await EnsureContainerAsync(cancellationToken);
        var options = new GetBlobsByHierarchyOptions { Delimiter = "/" };
        await foreach (var page in container.GetBlobsByHierarchyAsync(options, cancellationToken).AsPages(continuation).WithCancellation(cancellationToken))
        {
            return new SnapshotFolders(
                [.. page.Values.Where(item => item.IsPrefix).Select(item => item.Prefix.TrimEnd('/'))],
                string.IsNullOrEmpty(page.ContinuationToken) ? null : page.ContinuationToken);
        }

        return new SnapshotFolders([], null);
    }

    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await EnsureContainerAsync(cancellationToken);
        await container.GetBlobClient(SnapshotBlobName.Check(name))
            .DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellationToken);
    }

    public async Task DeleteByPrefixAsync(string prefix, CancellationToken cancellationToken)
    {
        SnapshotBlobName.CheckPrefix(prefix);
        await EnsureContainerAsync(cancellationToken);
        var options = new GetBlobsOptions { Prefix = prefix, States = BlobStates.Uncommitted };
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = ParallelDeletes, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(container.GetBlobsAsync(options, cancellationToken), parallel, async (blob, token) =>
        {
            var client = container.GetBlockBlobClient(blob.Name);
            if (await client.DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: token))
                return;

            // Blocks that a writer staged and never committed cannot be deleted; they can be replaced by an empty blob, which
            // can.
            try
            {
                await client.CommitBlockListAsync(
                    [], new CommitBlockListOptions { Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All } }, token);
            }
            catch (RequestFailedException e) when (IsUnmetCondition(e))
            {
                // The writer committed in between: a blob like any other, deleted below.
            }
            await client.DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: token);
        });
    }

    private static bool IsUnmetCondition(RequestFailedException e) =>
        e.ErrorCode == BlobErrorCode.ConditionNotMet || e.ErrorCode == BlobErrorCode.BlobAlreadyExists || e.ErrorCode == BlobErrorCode.BlobNotFound;

    private async ValueTask EnsureContainerAsync(CancellationToken cancellationToken)
    {
        // Asking twice at once is harmless, so no lock.
        if (_created)
            return;
        await container.CreateIfNotExistsAsync(PublicAccessType.None, cancellationToken: cancellationToken);
        _created = true;
    }

    /// <summary>
    /// Collects a block at a time and stages it; the block list is committed at the end. What fits in one block goes up in one
    /// request. Block ids are the writer's own, so that two writers of one name never mix: one wins, and the other's commit
    /// fails.
    /// </summary>
    private sealed class BlockWriter(BlockBlobClient blob) : SnapshotBlobWriter
    {
        private const int BlockSize = 2 * 1024 * 1024;

        private readonly Guid _writer = Guid.NewGuid();
        private readonly List<string> _blocks = [];
        private byte[] _block = ArrayPool<byte>.Shared.Rent(BlockSize);
        private int _length;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(_block.Length == 0, this);
            while (!bytes.IsEmpty)
            {
                var part = Math.Min(bytes.Length, BlockSize - _length);
                bytes[..part].CopyTo(_block.AsMemory(_length));
                _length += part;
                bytes = bytes[part..];
                if (_length == BlockSize)
                    await StageAsync(cancellationToken);
            }
        }

        public override async Task CommitAsync(CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(_block.Length == 0, this);
            if (_blocks.Count == 0)
            {
                using var whole = new MemoryStream(_block, 0, _length, writable: false);
                await blob.UploadAsync(whole, cancellationToken: cancellationToken);
                return;
            }
            if (_length > 0)
                await StageAsync(cancellationToken);
            await blob.CommitBlockListAsync(_blocks, cancellationToken: cancellationToken);
        }

        public override ValueTask DisposeAsync()
        {
            var block = Interlocked.Exchange(ref _block, []);
            if (block.Length > 0)
                ArrayPool<byte>.Shared.Return(block, clearArray: true);
            return ValueTask.CompletedTask;
        }

        private async Task StageAsync(CancellationToken cancellationToken)
        {
            var id = NextId();
            using var content = new MemoryStream(_block, 0, _length, writable: false);
            await blob.StageBlockAsync(id, content, cancellationToken: cancellationToken);
            _blocks.Add(id);
            _length = 0;
        }

        private string NextId()
        {
            Span<byte> id = stackalloc byte[20];
            _writer.TryWriteBytes(id);
            BinaryPrimitives.WriteInt32BigEndian(id[16..], _blocks.Count);
            return Convert.ToBase64String(id);
        }
    }
}
