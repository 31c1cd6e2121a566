namespace BasiqFunctions.Data.Changes;

/// <summary>What of a user's feed to read.</summary>
/// <param name="Limit">The most changes of transactions, 1 to <see cref="MaxLimit"/>.</param>
/// <param name="After">Where the page before ended; null for the beginning.</param>
/// <param name="AccountId">Only of this account.</param>
internal sealed record ChangeQuery(int Limit, ChangePosition? After = null, string? AccountId = null)
{
    /// <summary>The largest <see cref="Limit"/>.</summary>
    public const int MaxLimit = 500;
}
