namespace BasiqFunctions.Data;

/// <summary>Which transactions of an account to read, in the order in which Basiq sent them.</summary>
/// <param name="From">The first calendar date, inclusive.</param>
/// <param name="To">The last calendar date, inclusive.</param>
/// <param name="Status">Only this status.</param>
/// <param name="Limit">At most this many, 1 to 500.</param>
/// <param name="Cursor">Where the page before ended; belongs to the same account, dates and status.</param>
/// <remarks>
/// A transaction's date is the bank's day (<see cref="BankDays"/>) of <c>postDate</c>, else of <c>transactionDate</c>. One with neither is left out as soon as a
/// date is given.
/// </remarks>
public sealed record TransactionQuery(
    DateOnly? From = null,
    DateOnly? To = null,
    TransactionStatus? Status = null,
    int Limit = 100,
    Cursor? Cursor = null)
{
    /// <summary>The largest <see cref="Limit"/>.</summary>
    public const int MaxLimit = 500;
}

/// <summary>A transaction's <c>status</c> (Basiq's OpenAPI, TransactionData).</summary>
public enum TransactionStatus
{
    /// <summary>Final: it has a <c>postDate</c> and keeps its id.</summary>
    Posted,

    /// <summary>Not final: its id changes at every refresh.</summary>
    Pending,
}

/// <summary>Which transactions of all of a user's accounts to read, newest first.</summary>
/// <param name="Transactions">The days, the status, how many, and where the page before ended.</param>
/// <param name="AccountId">Only of this account.</param>
/// <param name="ConnectionId">Only of this connection's accounts.</param>
public sealed record MergedQuery(TransactionQuery Transactions, AccountId? AccountId = null, ConnectionId? ConnectionId = null);

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
