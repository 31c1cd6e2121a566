using System.Buffers;

namespace BasiqFunctions.Data.Changes;

/// <summary>
/// Writes the blobs of a part of the feed: first what holds ids alone, then the rest. A long part is several blobs, as each page of a reader
/// reads an index.
/// </summary>
internal sealed class PartWriter : IAsyncDisposable
{
    /// <summary>About as many as a segment of a sync has.</summary>
    internal const int LinesOfBlob = 4 * LinesOfFlush;

    /// <summary>A whole number of pages.</summary>
    private const int LinesOfFlush = 4_096;

    private readonly SegmentReader _reader;
    private readonly Func<CancellationToken, Task<(SegmentWriter Segment, string Name)>> _open;
    private readonly List<FeedLines> _blobs = [];
    private readonly ArrayBufferWriter<byte> _line = new(1_024);
    private SegmentWriter _segment;
    private string _name;
    private int _count;
    private int _removals;
    private int _unwritten;
    private bool _isBehindRemovals;

    private PartWriter(
        SegmentReader reader, Func<CancellationToken, Task<(SegmentWriter Segment, string Name)>> open, SegmentWriter segment, string name) =>
        (_reader, _open, _segment, _name) = (reader, open, segment, name);

    /// <summary>Starts a part.</summary>
    /// <param name="storage">Where.</param>
    /// <param name="reader">Reads there.</param>
    /// <param name="days">The bank's days.</param>
    /// <param name="userId">The user.</param>
    /// <param name="runId">The run of the sync, or of the removal, that it is part of.</param>
    /// <param name="marker">The blob without which this one has no place here.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<PartWriter> OpenAsync(
        ISnapshotStorage storage, SegmentReader reader, BankDays days, UserId userId, RunId runId, string marker, CancellationToken cancellationToken)
    {
        var (segment, name) = await BeginAsync(cancellationToken);
        return new PartWriter(reader, BeginAsync, segment, name);

        async Task<(SegmentWriter Segment, string Name)> BeginAsync(CancellationToken cancellationToken)
        {
            var attempt = Guid.NewGuid().ToString("N")[..8];
            var name = SnapshotPaths.Changes(userId, runId, attempt);
            return (new SegmentWriter(storage, await storage.OpenWriteAsync(name, cancellationToken), name, attempt, runId, marker, days), name);
        }
    }

    public void AddAccount(ReadOnlySpan<byte> type, AccountId accountId, ReadOnlySpan<byte> json)
    {
        ChangeLine.WriteAccount(_line, type, accountId, json);
        AddLine();
    }

    public void AddTransaction(ReadOnlySpan<byte> type, AccountId accountId, ReadOnlySpan<byte> id, ReadOnlySpan<byte> inferredFrom, ReadOnlySpan<byte> json)
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
    public void EndRemovals() => (_removals, _isBehindRemovals) = (_count, true);

    /// <summary>Writes out what has piled up.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_unwritten < LinesOfFlush)
            return;
        await _segment.CompletePageAsync(cancellationToken);
        _unwritten = 0;
        if (_count < LinesOfBlob)
            return;
        await EndBlobAsync(cancellationToken);
        (_segment, _name) = await _open(cancellationToken);
    }

    /// <exception cref="SnapshotDiscardedException">There is no place for it any more; nothing is left.</exception>
    public async Task<IReadOnlyList<FeedLines>> CompleteAsync(CancellationToken cancellationToken)
    {
        if (_count > 0)
            await EndBlobAsync(cancellationToken);
        return _blobs;
    }

    public ValueTask DisposeAsync() => _segment.DisposeAsync();

    private async Task EndBlobAsync(CancellationToken cancellationToken)
    {
        var summary = await _segment.CompleteAsync(cancellationToken);
        var entry = await _reader.ReadEntryAsync(_name, 0, summary.Attempt, summary.Bytes, cancellationToken);
        _blobs.Add(new FeedLines(
            summary.Attempt, _isBehindRemovals ? _removals : _count, _count, entry.Pages, entry.Length, entry.IndexLength, entry.IndexCrc));
        await _segment.DisposeAsync();
        (_count, _removals) = (0, 0);
    }

    private void AddLine()
    {
        AddLine(_line.WrittenSpan);
        _line.ResetWrittenCount();
    }
}
