using System.Buffers;

namespace BasiqFunctions.Data.Changes;

/// <summary>Writes the blob of a part of the feed: first what holds ids alone, then the rest.</summary>
internal sealed class PartWriter : IAsyncDisposable
{
    /// <summary>A whole number of pages.</summary>
    private const int LinesOfFlush = 4_096;

    private readonly SegmentReader _reader;
    private readonly SegmentWriter _segment;
    private readonly string _name;
    private readonly ArrayBufferWriter<byte> _line = new(1_024);
    private int _count;
    private int _removals;
    private int _unwritten;

    private PartWriter(SegmentReader reader, SegmentWriter segment, string name) => (_reader, _segment, _name) = (reader, segment, name);

    /// <summary>Starts a blob.</summary>
    /// <param name="storage">Where.</param>
    /// <param name="reader">Reads there.</param>
    /// <param name="days">The bank's days.</param>
    /// <param name="userId">The user.</param>
    /// <param name="syncId">The sync, or the removal, that it is part of.</param>
    /// <param name="marker">The blob without which this one has no place here.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<PartWriter> OpenAsync(
        ISnapshotStorage storage, SegmentReader reader, BankDays days, string userId, string syncId, string marker, CancellationToken cancellationToken)
    {
        var attempt = Guid.NewGuid().ToString("N")[..8];
        var name = SnapshotPaths.Changes(userId, syncId, attempt);
        var blob = await storage.OpenWriteAsync(name, cancellationToken);
        return new PartWriter(reader, new SegmentWriter(storage, blob, name, attempt, syncId, marker, days), name);
    }

    public void AddAccount(ReadOnlySpan<byte> type, string accountId, ReadOnlySpan<byte> json)
    {
        ChangeLine.WriteAccount(_line, type, accountId, json);
        AddLine();
    }

    public void AddTransaction(ReadOnlySpan<byte> type, string accountId, ReadOnlySpan<byte> id, ReadOnlySpan<byte> inferredFrom, ReadOnlySpan<byte> json)
    {
        ChangeLine.WriteTransaction(_line, type, accountId, id, inferredFrom, json);
        AddLine();
    }

    public void AddLine(ReadOnlySpan<byte> line)
    {
        _segment.Append(line, default);
        _count++;
        _unwritten++;
    }

    /// <summary>From here on come lines that hold more than ids.</summary>
    public void EndRemovals() => _removals = _count;

    /// <summary>Writes out what has piled up.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_unwritten < LinesOfFlush)
            return;
        await _segment.CompletePageAsync(cancellationToken);
        _unwritten = 0;
    }

    /// <exception cref="SnapshotDiscardedException">There is no place for it any more; nothing is left.</exception>
    public async Task<FeedLines> CompleteAsync(CancellationToken cancellationToken)
    {
        var summary = await _segment.CompleteAsync(cancellationToken);
        var entry = await _reader.ReadEntryAsync(_name, 0, summary.Attempt, summary.Bytes, cancellationToken);
        return new FeedLines(summary.Attempt, _removals, _count, entry.Pages, entry.Length, entry.IndexLength, entry.IndexCrc);
    }

    public ValueTask DisposeAsync() => _segment.DisposeAsync();

    private void AddLine()
    {
        AddLine(_line.WrittenSpan);
        _line.ResetWrittenCount();
    }
}
