
namespace BasiqFunctions.Data.Changes;

/// <summary>The answer to a <see cref="ChangeQuery"/>.</summary>
internal abstract record ChangesResult
{
    private ChangesResult()
    {
    }

    /// <summary>Changes.</summary>
    /// <param name="Changes">Those of transactions, a JSON array.</param>
    /// <param name="Accounts">Those of accounts, a JSON array; empty when there are none.</param>
    /// <param name="Next">Where to go on.</param>
    /// <param name="HasMore">Whether there is more already.</param>
    /// <param name="DataAsOf">When the latest was fetched that the feed has.</param>
    public sealed record Page(ReadOnlyMemory<byte> Changes, ReadOnlyMemory<byte> Accounts, ChangePosition Next, bool HasMore, DateTimeOffset DataAsOf)
        : ChangesResult;

    /// <summary>The user has no snapshot, or not any more.</summary>
    public sealed record NoSnapshot : ChangesResult;

    /// <summary>The current snapshot has no such account to begin with.</summary>
    public sealed record AccountNotFound : ChangesResult;

    /// <summary>What came after the position is not there any more: begin again.</summary>
    /// <param name="Damage">What could not be read, where that is why.</param>
    public sealed record Expired(SnapshotCorruptException? Damage = null) : ChangesResult;
}
