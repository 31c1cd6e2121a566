namespace BasiqFunctions.Data;

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
