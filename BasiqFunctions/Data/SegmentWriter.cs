using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Data;

/// <summary>
/// Writes one segment of an account's transactions, holding one page in memory. Disposed without <see cref="CompleteAsync"/>, it
/// leaves nothing. Not for several threads at once.
/// </summary>
public sealed class SegmentWriter : IAsyncDisposable
{
    private const int FirstBufferSize = 256 * 1024;

    /// <summary>
    /// A reader of a few transactions decompresses no more than it must, and a page still is long enough to compress well: with four times as
    /// many, a transaction takes a quarter less, and reading one of them three times as long.
    /// </summary>
    private const int LinesOfPage = 128;

    private readonly ISnapshotStorage _storage;
    private readonly SnapshotBlobWriter _blob;
    private readonly string _name;
    private readonly string _attempt;
    private readonly RunId _runId;
    private readonly string _marker;
    private readonly BankDays _days;
    private readonly List<PageEntry> _pages = [];
    private readonly ArrayBufferWriter<byte> _ids = new();
    private readonly ArrayBufferWriter<byte> _compressed = new();
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBufferSize);
    private int _length;
    private Extent _page;
    private Extent _segment;
    private long _offset;
    private bool _completed;

    internal SegmentWriter(
        ISnapshotStorage storage, SnapshotBlobWriter blob, string name, string attempt, RunId runId, string marker, BankDays days) =>
        (_storage, _blob, _name, _attempt, _runId, _marker, _days) = (storage, blob, name, attempt, runId, marker, days);

    /// <summary>By which days are counted.</summary>
    internal BankDays Days => _days;

    /// <summary>
    /// Adds a transaction (one JSON object, UTF-8) to the page. The bytes are copied; only line breaks and the white space around
    /// them are left out.
    /// </summary>
    /// <exception cref="JsonException">Not one well-formed JSON object; the page is as it was.</exception>
    public void Append(ReadOnlySpan<byte> transaction)
    {
        ObjectDisposedException.ThrowIf(_completed || _buffer.Length == 0, this);
        Append(transaction, TransactionFacts.Read(transaction, _days));
    }

    /// <summary>The same of a transaction whose facts have been read.</summary>
    /// <returns>The line that was written; good until the next one.</returns>
    internal ReadOnlySpan<byte> Append(ReadOnlySpan<byte> transaction, in TransactionFacts facts)
    {
        if (_page.Count == LinesOfPage)
            EndPage();
        var start = _length;
        Reserve(transaction.Length + 1);
        var target = _buffer.AsSpan(_length);
        if (transaction.ContainsAny((byte)'\n', (byte)'\r'))
        {
            _length += Compact(transaction, target);
        }
        else
        {
            transaction.CopyTo(target);
            _length += transaction.Length;
        }
        var line = _buffer.AsSpan(start, _length - start);
        _buffer[_length++] = (byte)'\n';
        _page = _page.Add(facts);
        BinaryPrimitives.WriteUInt64LittleEndian(_ids.GetSpan(SegmentFormat.IdLength), facts.Id);
        _ids.Advance(SegmentFormat.IdLength);
        return line;
    }

    /// <inheritdoc cref="Append(ReadOnlySpan{byte})"/>
    public void Append(in ReadOnlySequence<byte> transaction)
    {
        if (transaction.IsSingleSegment)
        {
            Append(transaction.FirstSpan);
            return;
        }
        var length = checked((int)transaction.Length);
        var joined = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            transaction.CopyTo(joined);
            Append(joined.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(joined, clearArray: true);
        }
    }

    /// <summary>Ends the page and writes out what there is. A page without transactions is no page; a long one is several.</summary>
    public async ValueTask CompletePageAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_completed || _buffer.Length == 0, this);
        EndPage();
        await _blob.WriteAsync(_compressed.WrittenMemory, cancellationToken);
        _compressed.ResetWrittenCount();
    }

    /// <summary>Ends the page and keeps it, compressed, to be written out.</summary>
    private void EndPage()
    {
        if (_page.Count == 0)
            return;
        var target = _compressed.GetSpan(SegmentFormat.MostCompressed(_length));
        var length = SegmentFormat.Compress(_buffer.AsSpan(0, _length), target);
        _pages.Add(new PageEntry(_offset, length, Crc32C.Compute(target[..length]), _page, Size: _length));
        _compressed.Advance(length);
        _segment = _segment.Add(_page);
        _offset += length;
        _length = 0;
        _page = default;
    }

    /// <summary>Ends the last page and makes the segment visible, beside those of other attempts at it.</summary>
    /// <exception cref="SnapshotDiscardedException">
    /// The sync was discarded, or its user removed, meanwhile; nothing is left.
    /// </exception>
    public async Task<SegmentSummary> CompleteAsync(CancellationToken cancellationToken)
    {
        await CompletePageAsync(cancellationToken);
        _completed = true;
        await _blob.WriteAsync(_ids.WrittenMemory, cancellationToken);
        var footer = SegmentFormat.WriteFooter(_pages, _ids.WrittenSpan, _days.TimeZone);
        await _blob.WriteAsync(footer, cancellationToken);
        try
        {
            await _blob.CommitAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or StoreUnavailableException)
        {
            // Files: the folder that the data was being written to went away with its user.
            if (!await _storage.ExistsAsync(_marker, cancellationToken))
                throw new SnapshotDiscardedException(_runId, e);
            throw;
        }

        // Whoever discards a sync deletes its marker before looking for segments: a segment that appeared too late for that look
        // finds no marker here.
        if (!await _storage.ExistsAsync(_marker, cancellationToken))
        {
            await _storage.DeleteAsync(_name, CancellationToken.None);
            throw new SnapshotDiscardedException(_runId);
        }
        return new SegmentSummary(
            _attempt,
            _segment.Count,
            _pages.Count,
            Extent.ToDate(_segment.MinDay),
            Extent.ToDate(_segment.MaxDay),
            _offset + _ids.WrittenCount + footer.Length,
            _segment.Pending);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length == 0)
            return;
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        await _blob.DisposeAsync();
    }

    private void Reserve(int bytes)
    {
        var needed = checked(_length + bytes);
        if (needed <= _buffer.Length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(needed, (long)_buffer.Length * 2), Array.MaxLength));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        _buffer = larger;
    }

    /// <summary>Copies well-formed JSON without the white space between its tokens.</summary>
    private static int Compact(ReadOnlySpan<byte> json, Span<byte> target)
    {
        var length = 0;
        bool inText = false, escaped = false;
        foreach (var c in json)
        {
            if (inText)
            {
                if (escaped)
                    escaped = false;
                else if (c == '\\')
                    escaped = true;
                else if (c == '"')
                    inText = false;
            }
            else if (c is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
            {
                continue;
            }
            else if (c == '"')
            {
                inText = true;
            }
            target[length++] = c;
        }
        return length;
    }
}

/// <summary>
/// What one segment holds: counts and dates only, nothing personal, so it may cross into orchestration history.
/// </summary>
/// <param name="Attempt">Which of the attempts to write the segment this was; a publication names it.</param>
/// <param name="Count">Transactions.</param>
/// <param name="Pages">Pages, as they were appended.</param>
/// <param name="MinDate">The earliest date of a dated transaction; null when none is dated.</param>
/// <param name="MaxDate">The latest one.</param>
/// <param name="Bytes">The blob's length.</param>
/// <param name="Pending">How many transactions are pending.</param>
public sealed record SegmentSummary(
    string Attempt, int Count, int Pages, DateOnly? MinDate, DateOnly? MaxDate, long Bytes, int Pending);
