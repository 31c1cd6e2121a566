namespace BasiqFunctions.Data;

/// <summary>
/// A user's current snapshot. <paramref name="SyncId"/> and <paramref name="FetchedAt"/> are those of the latest publication in
/// it.
/// </summary>
public sealed record CurrentSnapshot(string SyncId, DateTimeOffset FetchedAt, IReadOnlyList<SnapshotAccount> Accounts)
{
    /// <summary>What tells it from those before and after it.</summary>
    public string Version => string.Join(
        '\n', Accounts.Select(a => FormattableString.Invariant($"{a.AccountId} {a.SyncId} {a.FetchedAt.UtcTicks}")).Prepend(FormattableString.Invariant($"{SyncId} {FetchedAt.UtcTicks}")));

    /// <summary>
    /// How old the oldest fetch is of the whole of an account's transactions: what changed before, and is older than what is fetched each
    /// time, is in all of them. Null when no transactions were ever fetched.
    /// </summary>
    public DateTimeOffset? FullAsOf => Accounts.Min(account => account.FullAsOf);
}
