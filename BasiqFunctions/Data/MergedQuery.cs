namespace BasiqFunctions.Data;

/// <summary>Which transactions of all of a user's accounts to read, newest first.</summary>
/// <param name="Transactions">The days, the status, how many, and where the page before ended.</param>
/// <param name="AccountId">Only of this account.</param>
/// <param name="ConnectionId">Only of this connection's accounts.</param>
public sealed record MergedQuery(TransactionQuery Transactions, string? AccountId = null, string? ConnectionId = null);
