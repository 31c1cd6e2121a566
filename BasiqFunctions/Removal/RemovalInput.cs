namespace BasiqFunctions.Removal;

/// <summary>What the orchestration of a removal is started with.</summary>
/// <param name="UserId">Whose data goes.</param>
/// <param name="ConnectionId">The connection, where only its data goes; all of the user's without.</param>
/// <param name="Cause">Why, and under which consent.</param>
/// <param name="ReceiptId">The id of the receipt that it leaves.</param>
/// <param name="AtBasiq">What is removed at Basiq before.</param>
/// <param name="AnswerBy">Until when who asked waits: what Basiq refuses by then is the answer and the end, and what it refuses later is tried again.</param>
public sealed record RemovalInput(
    UserId UserId, ConnectionId? ConnectionId, DeletionCause Cause, string ReceiptId, AtBasiq AtBasiq = AtBasiq.Nothing, DateTimeOffset? AnswerBy = null);

/// <summary>What a removal does at Basiq, each with what stands before it.</summary>
public enum AtBasiq
{
    /// <summary>Nothing: it is gone there, or may stay.</summary>
    Nothing,

    /// <summary>Deletes the user or the connection.</summary>
    Delete,

    /// <summary>Has the accounts and transactions go before, which a connection that is deleted leaves.</summary>
    PurgeAndDelete,
}

/// <summary>What an activity of a removal is given.</summary>
/// <param name="What">What is removed.</param>
/// <param name="BegunAt">When the removal here began: what a sync fetches that started later is none of it.</param>
public sealed record RemovalStep(RemovalInput What, DateTimeOffset BegunAt);

/// <summary>How much there was to remove; nulls where the snapshot cannot be read.</summary>
/// <param name="Accounts">Accounts.</param>
/// <param name="Transactions">Their transactions.</param>
/// <param name="Connections">The connections that those were of.</param>
/// <param name="Reports">Reports.</param>
public sealed record KeptCount(long? Accounts, long? Transactions, long? Connections, int Reports = 0)
{
    internal bool IsNothing => this is { Accounts: 0, Connections: 0, Reports: 0 };
}
