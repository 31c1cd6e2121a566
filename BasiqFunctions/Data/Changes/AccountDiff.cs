using System.IO.Hashing;

namespace BasiqFunctions.Data.Changes;

/// <summary>
/// What differs between an account's transactions before and after a publication, by their ids. Only the segments are read that are not
/// those of before, and those of before that are replaced; of those the ids and hashes are held, never the transactions.
/// </summary>
internal sealed class AccountDiff
{
    private readonly SegmentReader _reader;
    private readonly BankDays _days;
    private readonly AccountId _accountId;
    private readonly Postings _postings = new();
    private readonly HashSet<int> _changed = [];
    private RowPage[] _before = [];
    private RowPage[] _after = [];
    private RowTable _rows = new(0);
    private int _addedOrModified;

    private AccountDiff(SegmentReader reader, BankDays days, AccountId accountId) => (_reader, _days, _accountId) = (reader, days, accountId);

    private delegate void RowVisitor(ReadOnlySpan<byte> transaction, ReadOnlySpan<byte> id, Fingerprint key);

    /// <summary>Whether anything differs.</summary>
    public bool IsAny => HasRemovals || _addedOrModified > 0;

    /// <summary>How many posted transactions were pending ones.</summary>
    public int Linked => _postings.Linked;

    /// <summary>How many may have been, among others.</summary>
    public int Ambiguous => _postings.Ambiguous;

    private bool HasRemovals => _rows.Seen < _rows.Count;

    /// <summary>Compares.</summary>
    /// <exception cref="SnapshotCorruptException">What is to be compared cannot be read.</exception>
    public static async Task<AccountDiff> CompareAsync(
        SegmentReader reader, BankDays days, UserId userId, AccountId accountId, ManifestTransactions? before, ManifestTransactions? after, CancellationToken cancellationToken)
    {
        var diff = new AccountDiff(reader, days, accountId);
        var held = diff.SourcesOf(userId, before);
        var fresh = diff.SourcesOf(userId, after);

        // What is the same blob before and after has no news but for what it does not stand for any more.
        diff._before = await diff.ListPagesAsync(
            held.Values.Where(source => !fresh.TryGetValue(source.Name, out var now) || now.View.Entry.Before != source.View.Entry.Before)
                .Select(source => source with { Still = fresh.TryGetValue(source.Name, out var now) ? now.View : null }),
            cancellationToken);
        diff._after = await diff.ListPagesAsync(fresh.Values.Where(source => !held.ContainsKey(source.Name)), cancellationToken);
        await diff.ReadBeforeAsync(cancellationToken);
        await diff.ReadAfterAsync(cancellationToken);
        return diff;
    }

    /// <summary>Writes the ids that are gone.</summary>
    public async Task WriteRemovalsAsync(PartWriter part, CancellationToken cancellationToken)
    {
        foreach (var page in HasRemovals ? _before : [])
        {
            await VisitAsync(
                page,
                (_, id, key) =>
                {
                    var at = _rows.Find(key);
                    if (_rows.IsSeen(at))
                        return;
                    _rows.See(at);
                    part.AddTransaction(ChangeLine.Removed, _accountId, id, default, default);
                },
                cancellationToken);
            await part.FlushAsync(cancellationToken);
        }
    }

    /// <summary>Writes what is new or differs.</summary>
    public async Task WriteChangesAsync(PartWriter part, CancellationToken cancellationToken)
    {
        for (var i = 0; i < _after.Length; i++)
        {
            if (!_changed.Contains(i))
                continue;
            await VisitAsync(
                _after[i],
                (transaction, id, key) =>
                {
                    var at = _rows.Find(key);
                    if (at < 0)
                        part.AddTransaction(ChangeLine.Added, _accountId, id, _postings.OriginOf(key), transaction);
                    else if (!_rows.IsSame(at, XxHash3.HashToUInt64(transaction)))
                        part.AddTransaction(ChangeLine.Modified, _accountId, id, default, transaction);
                },
                cancellationToken);
            await part.FlushAsync(cancellationToken);
        }
    }

    private async Task ReadBeforeAsync(CancellationToken cancellationToken)
    {
        _rows = new RowTable(_before.Sum(page => page.Entry.Extent.Count));
        foreach (var page in _before)
        {
            await VisitAsync(
                page,
                (transaction, id, key) =>
                {
                    _rows.Put(key, XxHash3.HashToUInt64(transaction));
                    if (page.Entry.Extent.Pending > 0 && TransactionFacts.Read(transaction, _days) is { Status: TransactionStatus.Pending } facts)
                        _postings.AddPending(key, id, transaction, facts.Day);
                },
                cancellationToken);
        }
    }

    private async Task ReadAfterAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < _after.Length; i++)
        {
            var changes = _addedOrModified;
            await VisitAsync(
                _after[i],
                (transaction, _, key) =>
                {
                    var at = _rows.Find(key);
                    if (at >= 0)
                        _rows.See(at);
                    if (at >= 0 && _rows.IsSame(at, XxHash3.HashToUInt64(transaction)))
                        return;
                    _addedOrModified++;
                    if (at < 0 && _postings.IsAnyPending && TransactionFacts.Read(transaction, _days) is { IsPosted: true } facts)
                        _postings.AddPosted(key, transaction, facts.Day);
                },
                cancellationToken);
            if (_addedOrModified > changes)
                _changed.Add(i);
        }

        _postings.Settle(key => !_rows.IsSeen(_rows.Find(key)));
    }

    private Dictionary<string, Source> SourcesOf(UserId userId, ManifestTransactions? transactions)
    {
        Dictionary<string, Source> sources = new(StringComparer.Ordinal);
        for (var i = 0; i < transactions?.Segments.Count; i++)
        {
            var name = SnapshotPaths.Segment(userId, _accountId, transactions, i);
            sources.Add(name, new Source(name, new SegmentView(transactions.Segments[i], default, _days), null));
        }

        return sources;
    }

    private async Task<RowPage[]> ListPagesAsync(IEnumerable<Source> sources, CancellationToken cancellationToken)
    {
        List<RowPage> pages = [];
        foreach (var source in sources)
        {
            foreach (var entry in (await _reader.ReadIndexAsync(source.Name, source.View.Entry, cancellationToken)).Pages)
            {
                if (source.View.MayMatch(entry.Extent) && source.Still?.MatchesAll(entry.Extent) is not true)
                    pages.Add(new RowPage(source, entry));
            }
        }

        return [.. pages];
    }

    private async Task VisitAsync(RowPage page, RowVisitor visit, CancellationToken cancellationToken)
    {
        using var read = await _reader.ReadPageAsync(page.Source.Name, page.Entry, cancellationToken);
        var (view, still) = (page.Source.View, page.Source.Still);
        var isAll = still is null && view.MatchesAll(page.Entry.Extent);
        foreach (var range in read.Lines())
        {
            var line = read.Bytes[range];
            if ((isAll || (view.Matches(line) && still?.Matches(line) is not true)) && ChangeLine.TryReadId(line, out var id, out var key))
                visit(line, id, key);
        }
    }

    /// <summary>A blob, what of it stands for the account, and what of it still does.</summary>
    private sealed record Source(string Name, SegmentView View, SegmentView? Still);

    private sealed record RowPage(Source Source, PageEntry Entry);
}
