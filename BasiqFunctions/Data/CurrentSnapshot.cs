namespace BasiqFunctions.Data;

/// <summary>
/// A user's current snapshot. <paramref name="RunId"/> and <paramref name="FetchedAt"/> are those of the latest publication in
/// it.
/// </summary>
public sealed record CurrentSnapshot(RunId RunId, DateTimeOffset FetchedAt, IReadOnlyList<SnapshotAccount> Accounts)
{
    /// <summary>What tells it from those before and after it.</summary>
    public string Version => string.Join(
        '\n', Accounts.Select(a => FormattableString.Invariant($"{a.AccountId} {a.RunId} {a.FetchedAt.UtcTicks}")).Prepend(FormattableString.Invariant($"{RunId} {FetchedAt.UtcTicks}")));

    /// <summary>
    /// How old the oldest fetch is of the whole of an account's transactions: what changed before, and is older than what is fetched each
    /// time, is in all of them. Null when those of one were never fetched.
    /// </summary>
    public DateTimeOffset? FullAsOf => Accounts.Any(account => account.Transactions is null) ? null : Accounts.Min(account => account.FullAsOf);
}

/// <summary>An account of the current snapshot.</summary>
/// <param name="AccountId">Basiq's account id.</param>
/// <param name="ConnectionId">The connection that it came through.</param>
/// <param name="InstitutionId">The bank, when Basiq named it.</param>
/// <param name="RunId">The run that fetched it.</param>
/// <param name="FetchedAt">When that sync published it.</param>
/// <param name="Transactions">How many transactions can be read; null when they were never fetched.</param>
/// <param name="Raw">The account's JSON (UTF-8) as Basiq sent it.</param>
/// <param name="MissingSince">Since when Basiq's lists of its connection's accounts lack it; null while they have it.</param>
/// <param name="FullAsOf">When the whole of its transactions was last fetched; null when they never were.</param>
public sealed record SnapshotAccount(
    AccountId AccountId,
    ConnectionId ConnectionId,
    string? InstitutionId,
    RunId RunId,
    DateTimeOffset FetchedAt,
    long? Transactions,
    ReadOnlyMemory<byte> Raw,
    DateTimeOffset? MissingSince = null,
    DateTimeOffset? FullAsOf = null);
