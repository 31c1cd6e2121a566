namespace BasiqFunctions.Data;

/// <summary>
/// What of an account's transactions a new fetch may leave as they are. This is the one place that says what it takes to do so.
/// </summary>
/// <remarks>
/// Basiq adds transactions, posts pending ones under new ids, and now and then changes, moves or drops one. What was posted is fetched
/// again from some days before the newest known day; what is older is kept as long as nothing speaks against it. A change of what is
/// older shows when the whole is fetched.
/// </remarks>
internal sealed class KeptTransactions(SegmentReader reader, BankDays days)
{
    /// <summary>Each fetch adds a segment until the whole is fetched; with more, a read would look at too many of them.</summary>
    private const int MostSegments = 200;

    /// <summary>Decides what of an account to fetch.</summary>
    /// <param name="accountId">The account.</param>
    /// <param name="kept">Its transactions; null when there are none.</param>
    /// <param name="raw">The account as Basiq lists it now.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="now">The time.</param>
    public AccountFetch Plan(AccountId accountId, ManifestTransactions? kept, ReadOnlyMemory<byte> raw, FetchRules rules, DateTimeOffset now)
    {
        var whole = new AccountFetch(accountId);
        if (kept is null || rules.IsFull || kept.Segments.Count > MostSegments || kept.Segments.Any(segment => segment.Number is null || segment.TimeZone != days.TimeZone))
            return whole;
        if (kept.FullAsOf is not { } fullAsOf || fullAsOf > now || now - fullAsOf >= rules.FullEvery)
            return whole;
        var span = kept.Span();
        if (span.Odd > 0 || Extent.ToDate(span.MaxPostDay) is not { } newest || Extent.ToDate(span.MinPostDay) is not { } oldest)
            return whole;

        // What a bank dates in the future says nothing of what comes until then.
        var known = Math.Min(newest.DayNumber, DateOnly.FromDateTime(now.UtcDateTime).DayNumber);
        var from = DateOnly.FromDayNumber(Math.Max(DateOnly.MinValue.DayNumber + 2, known - (int)Math.Ceiling(rules.Overlap.TotalDays)));
        var (intervalFrom, intervalTo) = TransactionInterval.Of(raw.Span);
        if ((intervalFrom == 0) != (kept.IntervalFrom == 0) || intervalFrom > kept.IntervalFrom || intervalTo < kept.IntervalTo)
            return whole;
        var isOlder = intervalFrom < kept.IntervalFrom && Extent.ToDate(intervalFrom) < oldest;
        return new AccountFetch(
            accountId,
            new KeptSpan(kept.Identity, from, isOlder ? Extent.ToDate(intervalFrom) : null, isOlder ? oldest : null));
    }

    /// <summary>Opens what of the kept transactions is fetched again, to be compared.</summary>
    /// <exception cref="SnapshotCorruptException">It cannot be read.</exception>
    public async Task<KeptOverlap> OpenOverlapAsync(
        UserId userId, AccountId accountId, ManifestTransactions kept, DateOnly from, CancellationToken cancellationToken)
    {
        var first = Extent.ToDay(from);
        Dictionary<Fingerprint, int> places = [];
        for (var i = 0; i < kept.Segments.Count; i++)
        {
            var segment = kept.Segments[i];
            if (segment.Extent.MaxPostDay < first)
                continue;
            var name = SnapshotPaths.Segment(userId, accountId, kept, i);
            foreach (var page in (await reader.ReadIndexAsync(name, segment, cancellationToken)).Pages.Where(page => page.Extent.MaxPostDay >= first))
            {
                using var read = await reader.ReadPageAsync(name, page, cancellationToken);
                foreach (var range in read.Lines())
                {
                    var line = read.Bytes[range];
                    var facts = TransactionFacts.Read(line, days);
                    if (facts.IsPosted && facts.Day >= first && (segment.Before == 0 || facts.Day < segment.Before))
                        places.TryAdd(Fingerprint.Of(line), places.Count);
                }
            }
        }

        return new KeptOverlap(places);
    }

    /// <summary>Whether one of these ids is that of a transaction that is kept and not fetched again.</summary>
    /// <exception cref="SnapshotCorruptException">What is kept cannot be read.</exception>
    public async Task<bool> HasAnyAsync(
        UserId userId, AccountId accountId, ManifestTransactions kept, DateOnly from, IReadOnlySet<ulong> ids, CancellationToken cancellationToken)
    {
        for (var i = 0; i < kept.Segments.Count && ids.Count > 0; i++)
        {
            var segment = kept.Segments[i];
            var before = Earlier(segment.Before, Extent.ToDay(from));
            if (segment.Extent.MinPostDay == 0 || segment.Extent.MinPostDay >= before)
                continue;
            var name = SnapshotPaths.Segment(userId, accountId, kept, i);
            var index = await reader.ReadIndexAsync(name, segment, cancellationToken);
            var known = await reader.ReadIdsAsync(name, index, cancellationToken);
            var at = 0;
            foreach (var page in index.Pages)
            {
                var count = page.Extent.Count;
                if (known.AsSpan(at, count).ToArray().Any(ids.Contains) && await IsKeptAsync(name, page, before, ids, cancellationToken))
                    return true;
                at += count;
            }
        }

        return false;
    }

    /// <summary>The segments that still stand for something when what was posted from a day on is fetched anew.</summary>
    /// <exception cref="SnapshotCorruptException">One that must be looked into cannot be read.</exception>
    public async Task<IReadOnlyList<SegmentEntry>> CutAsync(
        UserId userId, AccountId accountId, ManifestTransactions kept, DateOnly from, CancellationToken cancellationToken)
    {
        List<SegmentEntry> rest = [];
        for (var i = 0; i < kept.Segments.Count; i++)
        {
            var segment = kept.Segments[i] with { RunId = kept.Segments[i].RunId ?? kept.RunId };
            var before = Earlier(segment.Before, Extent.ToDay(from));
            var filter = TransactionFilter.PostedBefore(before);
            if (filter.MatchesAll(segment.Extent))
            {
                rest.Add(segment);
                continue;
            }

            if (!filter.MayMatch(segment.Extent))
                continue;
            var name = SnapshotPaths.Segment(userId, accountId, kept, i);
            var extent = default(Extent);
            foreach (var page in (await reader.ReadIndexAsync(name, segment, cancellationToken)).Pages.Where(page => filter.MayMatch(page.Extent)))
            {
                if (filter.MatchesAll(page.Extent))
                {
                    extent = extent.Add(page.Extent);
                    continue;
                }

                using var read = await reader.ReadPageAsync(name, page, cancellationToken);
                foreach (var range in read.Lines())
                {
                    var facts = TransactionFacts.Read(read.Bytes[range], days);
                    if (filter.Matches(facts))
                        extent = extent.Add(facts);
                }
            }

            if (extent.Count > 0)
                rest.Add(segment with { Extent = extent, Before = before });
        }

        return rest;
    }

    private async Task<bool> IsKeptAsync(string name, PageEntry page, int before, IReadOnlySet<ulong> ids, CancellationToken cancellationToken)
    {
        using var read = await reader.ReadPageAsync(name, page, cancellationToken);
        foreach (var range in read.Lines())
        {
            var facts = TransactionFacts.Read(read.Bytes[range], days);
            if (facts.IsPosted && facts.Day < before && ids.Contains(facts.Id))
                return true;
        }

        return false;
    }

    private static int Earlier(int before, int from) => before == 0 ? from : Math.Min(before, from);
}

/// <summary>What is known of the days that are fetched again: posted transactions, each by all of its bytes, with its place among them.</summary>
internal sealed class KeptOverlap(Dictionary<Fingerprint, int> places)
{
    private int _taken;

    /// <summary>How many there are.</summary>
    public int Count { get; } = places.Count;

    /// <summary>Whether those that were taken came in the order in which they are known, without a gap.</summary>
    public bool IsInOrder { get; private set; } = true;

    /// <summary>Whether a transaction is known as it is; each is once.</summary>
    public bool Takes(ReadOnlySpan<byte> line)
    {
        if (!places.Remove(Fingerprint.Of(line), out var place))
            return false;
        IsInOrder &= place == _taken++;
        return true;
    }
}
