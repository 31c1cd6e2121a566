namespace BasiqFunctions.Snapshots;

/// <summary>The outcome of a publication, and how much of the current snapshot comes from that sync.</summary>
public sealed record PublishResult(PublishOutcome Outcome, int Accounts, long Transactions);
