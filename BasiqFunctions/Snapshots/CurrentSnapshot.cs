namespace BasiqFunctions.Snapshots;

/// <summary>
/// A user's current snapshot. <paramref name="SyncId"/> and <paramref name="FetchedAt"/> are those of the latest publication in
/// it.
/// </summary>
public sealed record CurrentSnapshot(string SyncId, DateTimeOffset FetchedAt, IReadOnlyList<SnapshotAccount> Accounts);
