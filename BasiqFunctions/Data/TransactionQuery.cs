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
    string? Cursor = null)
{
    /// <summary>The largest <see cref="Limit"/>.</summary>
    public const int MaxLimit = 500;
}
