namespace BasiqFunctions.Data;

/// <summary>The dates and the status of a query, as the reading loop needs them.</summary>
internal readonly record struct TransactionFilter(int FromDay, int ToDay, TransactionStatus? Status)
{
    public static TransactionFilter Of(TransactionQuery query) => new(Day(query.From), Day(query.To), query.Status);

    /// <summary>Those that are posted before a day: what an older fetch still stands for, when a newer one began with that day.</summary>
    public static TransactionFilter PostedBefore(int day) =>
        new(0, Extent.ToDay(Extent.ToDate(day)!.Value.AddDays(-1)), TransactionStatus.Posted);

    /// <summary>Whether every transaction matches, so that none needs to be looked into.</summary>
    public bool IsEmpty => !HasDates && Status is null;

    private bool HasDates => FromDay != 0 || ToDay != 0;

    public bool MayMatch(in Extent extent)
    {
        if (extent.Count == 0)
            return false;
        if (HasDates && (extent.MaxDay == 0 || extent.MaxDay < FromDay || (ToDay != 0 && extent.MinDay > ToDay)))
            return false;
        return Status switch
        {
            TransactionStatus.Pending => extent.Pending > 0,
            TransactionStatus.Posted => extent.Posted > 0,
            _ => true,
        };
    }

    public bool MatchesAll(in Extent extent)
    {
        if (extent.Count == 0)
            return false;
        if (HasDates && (extent.Undated > 0 || extent.MinDay < FromDay || (ToDay != 0 && extent.MaxDay > ToDay)))
            return false;
        return Status switch
        {
            TransactionStatus.Pending => extent.Pending == extent.Count,
            TransactionStatus.Posted => extent.Posted == extent.Count,
            _ => true,
        };
    }

    public bool Matches(in TransactionFacts facts) =>
        (!HasDates || (facts.Day != 0 && facts.Day >= FromDay && (ToDay == 0 || facts.Day <= ToDay)))
        && (Status is null || Status == facts.Status);

    private static int Day(DateOnly? date) => date is { } d ? Extent.ToDay(d) : 0;
}
