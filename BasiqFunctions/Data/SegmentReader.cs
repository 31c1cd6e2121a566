using System.Buffers;
using System.Buffers.Binary;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Data;

/// <summary>Reads segments by their parts: the index, one page, the hashes of the ids. Each is held against its checksum.</summary>
/// <remarks>All of it throws <see cref="SnapshotCorruptException"/> for what is missing or damaged.</remarks>
internal sealed class SegmentReader(ISnapshotStorage storage)
{
    private const int TailLength = 4096;

    /// <summary>What a manifest is to know of a segment that was just written.</summary>
    public async Task<SegmentEntry> ReadEntryAsync(
        string name, int number, string attempt, long length, CancellationToken cancellationToken)
    {
        if (length < SegmentFormat.TrailerLength)
            throw new SnapshotCorruptException(name, "it is too short");
        var tail = new byte[(int)Math.Min(length, TailLength)];
        await ReadExactlyAsync(name, length - tail.Length, tail, cancellationToken);
        var (indexLength, crc) = SegmentFormat.ReadTrailer(name, tail.AsSpan(tail.Length - SegmentFormat.TrailerLength));
        var footer = (long)indexLength + SegmentFormat.TrailerLength;
        if (footer > length)
            throw new SnapshotCorruptException(name, "its index is longer than itself");
        if (footer > tail.Length)
        {
            tail = new byte[footer];
            await ReadExactlyAsync(name, length - footer, tail, cancellationToken);
        }
        var index = SegmentFormat.ReadIndex(name, tail.AsSpan((int)(tail.Length - footer), indexLength), crc, length - footer);
        var extent = default(Extent);
        foreach (var page in index.Pages)
            extent = extent.Add(page.Extent);
        return new SegmentEntry(attempt, extent, index.Pages.Length, length, indexLength, crc, index.TimeZone, SyncId: null, number);
    }

    public async Task<SegmentIndex> ReadIndexAsync(string name, SegmentEntry entry, CancellationToken cancellationToken)
    {
        var dataLength = entry.Length - SegmentFormat.TrailerLength - entry.IndexLength;
        if (dataLength < 0 || entry.IndexLength <= 0)
            throw new SnapshotCorruptException(name, "the manifest gives it impossible lengths");
        var index = new byte[entry.IndexLength];
        await ReadExactlyAsync(name, dataLength, index, cancellationToken);
        return SegmentFormat.ReadIndex(name, index, entry.IndexCrc, dataLength);
    }

    /// <summary>Reads a page. The caller disposes it.</summary>
    public async Task<SegmentPage> ReadPageAsync(string name, PageEntry entry, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(entry.Length);
        try
        {
            await ReadExactlyAsync(name, entry.Offset, buffer.AsMemory(0, entry.Length), cancellationToken);
            var stored = buffer.AsSpan(0, entry.Length);
            if (Crc32C.Compute(stored) != entry.Crc)
                throw new SnapshotCorruptException(name, $"the page at byte {entry.Offset} has another checksum");
            if (entry.Size == 0)
            {
                var plain = new SegmentPage(name, entry, buffer, entry.Length);
                buffer = null;
                return plain;
            }

            var page = new SegmentPage(name, entry, ArrayPool<byte>.Shared.Rent(entry.Size), entry.Size);
            try
            {
                SegmentFormat.Decompress(name, stored, page.Writable);
                return page;
            }
            catch
            {
                page.Dispose();
                throw;
            }
        }
        finally
        {
            // It held personal data, and goes back to a pool that the whole process shares.
            if (buffer is not null)
                ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>The hashes of the ids of a segment's transactions, in their order.</summary>
    public async Task<ulong[]> ReadIdsAsync(string name, SegmentIndex index, CancellationToken cancellationToken)
    {
        var bytes = new byte[index.IdsLength];
        await ReadExactlyAsync(name, index.IdsOffset, bytes, cancellationToken);
        if (Crc32C.Compute(bytes) != index.IdsCrc || bytes.Length != index.Pages.Sum(page => (long)page.Extent.Count) * SegmentFormat.IdLength)
            throw new SnapshotCorruptException(name, "its ids have another checksum");
        var ids = new ulong[bytes.Length / SegmentFormat.IdLength];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(i * SegmentFormat.IdLength));
        return ids;
    }

    private async Task ReadExactlyAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var read = await storage.ReadRangeAsync(name, offset, destination, cancellationToken)
            ?? throw new SnapshotCorruptException(name, "it does not exist");
        if (read != destination.Length)
            throw new SnapshotCorruptException(name, $"it ends at byte {offset + read}, and should go on to byte {offset + destination.Length}");
    }
}
