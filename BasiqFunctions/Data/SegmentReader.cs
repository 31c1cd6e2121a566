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
        return new SegmentEntry(attempt, extent, index.Pages.Length, length, indexLength, crc, index.TimeZone, RunId: null, number);
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

/// <summary>A page of a segment in memory: transactions, one a line. It is good until it is disposed.</summary>
internal sealed class SegmentPage(string blobName, PageEntry entry, byte[] buffer, int length) : IDisposable
{
    private byte[]? _buffer = buffer;

    public ReadOnlySpan<byte> Bytes => Writable;

    /// <summary>Where its reader puts it.</summary>
    internal Span<byte> Writable => (_buffer ?? throw new ObjectDisposedException(nameof(SegmentPage))).AsSpan(0, length);

    /// <summary>The transactions, as ranges of the page's bytes.</summary>
    /// <exception cref="SnapshotCorruptException">There are more or fewer of them than the index says.</exception>
    public Range[] Lines()
    {
        var page = Bytes;
        var lines = new Range[entry.Extent.Count];
        int line = 0, at = 0;
        for (; at < page.Length; line++)
        {
            var end = page[at..].IndexOf((byte)'\n');
            if (end < 0)
                throw new SnapshotCorruptException(blobName, $"the page at byte {entry.Offset} has no end");
            if (line < lines.Length)
                lines[line] = at..(at + end);
            at += end + 1;
        }
        if (line != lines.Length)
            throw new SnapshotCorruptException(blobName, $"the page at byte {entry.Offset} has {line} lines, not {lines.Length}");
        return lines;
    }

    /// <summary>It held personal data, and goes back to a pool that the whole process shares.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } held)
            ArrayPool<byte>.Shared.Return(held, clearArray: true);
    }
}

/// <summary>A segment as a query sees it: what it stands for, by the days that it was cut by, and the query's own days.</summary>
internal readonly struct SegmentView
{
    private readonly TransactionFilter _filter;
    private readonly TransactionFilter _bound;
    private readonly BankDays _days;
    private readonly BankDays _daysOfEntry;
    private readonly bool _isSameZone;

    public SegmentView(SegmentEntry entry, TransactionFilter filter, BankDays days)
    {
        (Entry, _filter, _days) = (entry, filter, days);
        _isSameZone = entry.TimeZone == days.TimeZone;
        _bound = entry.Before == 0 ? default : TransactionFilter.PostedBefore(entry.Before);
        _daysOfEntry = _isSameZone || entry.TimeZone is null ? days : new BankDays(entry.TimeZone);
    }

    public SegmentEntry Entry { get; }

    /// <summary>Whether something of what it stands for may match. Its extent is that of what it stands for.</summary>
    public bool MayMatchSegment => _filter.MayMatch(Known(Entry.Extent));

    /// <summary>Whether all of what it stands for matches.</summary>
    public bool MatchesSegment => _filter.MatchesAll(Known(Entry.Extent));

    /// <summary>Whether something of a page may match.</summary>
    public bool MayMatch(in Extent page) => _filter.MayMatch(Known(page)) && _bound.MayMatch(page);

    /// <summary>Whether all of a page matches.</summary>
    public bool MatchesAll(in Extent page) => _filter.MatchesAll(Known(page)) && _bound.MatchesAll(page);

    public bool Matches(ReadOnlySpan<byte> transaction) => Matches(transaction, TransactionFacts.Read(transaction, _days));

    /// <inheritdoc cref="Matches(ReadOnlySpan{byte})"/>
    /// <param name="transaction">The transaction.</param>
    /// <param name="facts">What is read of it, by the query's days.</param>
    public bool Matches(ReadOnlySpan<byte> transaction, in TransactionFacts facts) =>
        _filter.Matches(facts) && (_bound.IsEmpty || _bound.Matches(_isSameZone ? facts : TransactionFacts.Read(transaction, _daysOfEntry)));

    /// <summary>What is known of an extent by the query's days.</summary>
    public Extent Known(in Extent extent) => _isSameZone ? extent : extent.UnderOtherDays();
}
