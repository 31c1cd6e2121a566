namespace BasiqFunctions.Removal;

/// <summary>How much there was to remove; nulls where the snapshot cannot be read.</summary>
/// <param name="Accounts">Accounts.</param>
/// <param name="Transactions">Their transactions.</param>
/// <param name="Connections">The connections that those were of.</param>
public sealed record KeptCount(long? Accounts, long? Transactions, long? Connections)
{
    internal bool IsNothing => this is { Accounts: 0, Connections: 0 };
}
