namespace BasiqFunctions.Data;

/// <summary>The outcome of a publication, and how much of the current snapshot comes from that sync.</summary>
public sealed record PublishResult(PublishOutcome Outcome, int Accounts, long Transactions)
{
    /// <summary>The accounts to fetch whole, when it is <see cref="PublishOutcome.Outdated"/>.</summary>
    public IReadOnlyList<string> Outdated { get; init; } = [];

    /// <summary>How many posted transactions are taken for pending ones that they were.</summary>
    public int Linked { get; init; }

    /// <summary>How many may have been pending, and it cannot be told which those were.</summary>
    public int Ambiguous { get; init; }
}
