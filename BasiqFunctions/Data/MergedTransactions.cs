namespace BasiqFunctions.Data;

/// <summary>
/// Reads the transactions of several accounts in one order. Of each account only the pages are read whose days may belong to the answer,
/// whatever order they are stored in, one after the other; what is held is the answer and a page.
/// </summary>
internal sealed class MergedTransactions(SegmentReader reader, BankDays days)
{
    private static readonly IComparer<MergedPosition> LastFirst = Comparer<MergedPosition>.Create((one, other) => other.CompareTo(one));

    /// <summary>Reads a page.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="accounts">The accounts.</param>
    /// <param name="filter">Which transactions.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="after">The last one of the page before; null for the first page.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The transactions, and the last of them when there are more.</returns>
    /// <exception cref="SnapshotCorruptException">A segment is missing or damaged.</exception>
    public async Task<(IReadOnlyList<ReadOnlyMemory<byte>> Transactions, MergedPosition? Last)> ReadAsync(
        UserId userId,
        IEnumerable<ManifestAccount> accounts,
        TransactionFilter filter,
        int limit,
        MergedPosition? after,
        CancellationToken cancellationToken)
    {
        // By the latest day that may be in it: what cannot add to the answer any more is not looked into.
        PriorityQueue<Source, int> sources = new(Comparer<int>.Create((one, other) => other.CompareTo(one)));
        foreach (var account in accounts)
        {
            for (var i = 0; i < account.Transactions?.Segments.Count; i++)
            {
                var view = new SegmentView(account.Transactions.Segments[i], filter, days);
                if (view.MayMatchSegment && MayFollow(view.Known(view.Entry.Extent)))
                    sources.Enqueue(new Source(account.AccountId, SnapshotPaths.Segment(userId, account.AccountId, account.Transactions, i), view, null), view.Known(view.Entry.Extent).MaxDay);
            }
        }

        // One more than is asked for tells whether there are more.
        PriorityQueue<byte[], MergedPosition> best = new(LastFirst);
        while (sources.TryDequeue(out var source, out var latest))
        {
            if (best.Count > limit && best.TryPeek(out _, out var last) && latest < last.Day)
                break;
            if (source.Page is { } page)
            {
                using var read = await reader.ReadPageAsync(source.Name, page, cancellationToken);
                Take(read, source, best, limit, after);
                continue;
            }

            foreach (var entry in (await reader.ReadIndexAsync(source.Name, source.View.Entry, cancellationToken)).Pages)
            {
                if (source.View.MayMatch(entry.Extent) && MayFollow(source.View.Known(entry.Extent)))
                    sources.Enqueue(source with { Page = entry }, source.View.Known(entry.Extent).MaxDay);
            }
        }

        var hasMore = best.Count > limit;
        if (hasMore)
            best.Dequeue();
        MergedPosition? end = hasMore && best.TryPeek(out _, out var shown) ? shown : null;
        var found = new ReadOnlyMemory<byte>[best.Count];
        for (var i = found.Length - 1; i >= 0; i--)
            found[i] = best.Dequeue();
        return (found, end);

        bool MayFollow(in Extent extent) => after is not { } position || extent.Undated > 0 || extent.MinDay <= position.Day;
    }

    private void Take(SegmentPage page, Source source, PriorityQueue<byte[], MergedPosition> best, int limit, MergedPosition? after)
    {
        foreach (var range in page.Lines())
        {
            var line = page.Bytes[range];
            var facts = TransactionFacts.Read(line, days);
            var isFull = best.Count > limit;
            if (facts.Day > after?.Day || (isFull && best.TryPeek(out _, out var last) && facts.Day < last.Day) || !source.View.Matches(line, facts))
                continue;
            var position = new MergedPosition(facts.Day, MergedPosition.IdOf(line), source.AccountId);
            if (position.CompareTo(after ?? position) < 0 || position == after)
                continue;
            if (!isFull)
                best.Enqueue(line.ToArray(), position);
            else if (best.TryPeek(out _, out var worst) && position.CompareTo(worst) < 0)
                best.DequeueEnqueue(line.ToArray(), position);
        }
    }

    /// <summary>A segment, or a page of it.</summary>
    private sealed record Source(AccountId AccountId, string Name, SegmentView View, PageEntry? Page);
}
