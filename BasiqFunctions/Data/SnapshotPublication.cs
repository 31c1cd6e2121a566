namespace BasiqFunctions.Data;

/// <summary>What a sync asks to publish: its staged accounts (already in the store) of the connections that it fetched.</summary>
/// <param name="UserId">The user.</param>
/// <param name="SyncId">The sync's run, <see cref="SnapshotRun.For"/>.</param>
/// <param name="StartedAt">When the sync started: what was removed since then stays removed.</param>
/// <param name="ConnectionIds">
/// The connections whose accounts were listed in full. Staged accounts of other connections are ignored.
/// </param>
/// <param name="Segments">
/// Per account id, the <see cref="SegmentSummary.Attempt"/> of each of its segments, in order. An account that is missing here
/// could not be fetched: its JSON is published, and its transactions stay those of the previous snapshot, if there are any.
/// </param>
public sealed record SnapshotPublication(
    string UserId,
    string SyncId,
    DateTimeOffset StartedAt,
    IReadOnlyCollection<string> ConnectionIds,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Segments)
{
    /// <summary>
    /// When the sync began to fetch what Basiq had, if later than it started: what happened at the banks before is in it. It decides which
    /// of two syncs of one connection is the newer.
    /// </summary>
    public DateTimeOffset? AsOf { get; init; }

    /// <summary>Of the accounts in <see cref="Segments"/> those that were not fetched whole, and how.</summary>
    public IReadOnlyDictionary<string, FetchedSpan> Spans { get; init; } = new Dictionary<string, FetchedSpan>();

    /// <summary>What else the sync learned from the list of the accounts.</summary>
    public AccountListing Listing { get; init; } = AccountListing.None;
}
