namespace BasiqFunctions.Data;

/// <summary>What a sync asks to publish: its staged accounts (already in the store) of the connections that it fetched.</summary>
/// <param name="UserId">The user.</param>
/// <param name="RunId">The sync's run, <see cref="SnapshotRun.For"/>.</param>
/// <param name="StartedAt">When the sync started: what was removed since then stays removed.</param>
/// <param name="ConnectionIds">
/// The connections whose accounts were listed in full. Staged accounts of other connections are ignored.
/// </param>
/// <param name="Segments">
/// Per account id, the <see cref="SegmentSummary.Attempt"/> of each of its segments, in order. An account that is missing here
/// could not be fetched: its JSON is published, and its transactions stay those of the previous snapshot, if there are any.
/// </param>
public sealed record SnapshotPublication(
    UserId UserId,
    RunId RunId,
    DateTimeOffset StartedAt,
    IReadOnlyCollection<ConnectionId> ConnectionIds,
    IReadOnlyDictionary<AccountId, IReadOnlyList<string>> Segments)
{
    /// <summary>
    /// When the sync began to fetch what Basiq had, if later than it started: what happened at the banks before is in it. It decides which
    /// of two syncs of one connection is the newer.
    /// </summary>
    public DateTimeOffset? AsOf { get; init; }

    /// <summary>Of the accounts in <see cref="Segments"/> those that were not fetched whole, and how.</summary>
    public IReadOnlyDictionary<AccountId, FetchedSpan> Spans { get; init; } = new Dictionary<AccountId, FetchedSpan>();

    /// <summary>What else the sync learned from the list of the accounts.</summary>
    public AccountListing Listing { get; init; } = AccountListing.None;
}

/// <summary>What a sync learned from Basiq's list of the user's accounts, beside the accounts that it takes.</summary>
/// <param name="Connections">Every connection that the list names.</param>
/// <param name="EndedConnections">
/// Connections of which Basiq says that they have ended: their accounts go where the list has them anew (<see cref="MadeAnew"/>).
/// </param>
/// <param name="IsWhole">Whether each of its records could be read. What a list lacks that is not whole may be there all the same.</param>
public sealed record AccountListing(IReadOnlyList<ConnectionId> Connections, IReadOnlyList<ConnectionId> EndedConnections, bool IsWhole)
{
    /// <summary>Accounts that are kept and are believed to be gone at the bank. Others that a list lacks stay: it may be odd for once.</summary>
    public IReadOnlyList<AccountId> GoneAccounts { get; init; } = [];

    /// <summary>When it was read, by a clock that Basiq's confirms; null by one that it does not: then nobody knows since when an account is missing.</summary>
    public DateTimeOffset? ReadAt { get; init; }

    /// <summary>Nothing learned.</summary>
    public static AccountListing None { get; } = new([], [], IsWhole: true);
}

/// <summary>The ids of a staged account, as found in its JSON (<c>id</c>, <c>connection</c>, <c>institution</c>).</summary>
public sealed record StagedAccount(AccountId AccountId, ConnectionId ConnectionId, string? InstitutionId);

/// <summary>The outcome of a publication, and how much of the current snapshot comes from that sync.</summary>
public sealed record PublishResult(PublishOutcome Outcome, int Accounts, long Transactions)
{
    /// <summary>The accounts to fetch whole, when it is <see cref="PublishOutcome.Outdated"/>.</summary>
    public IReadOnlyList<AccountId> Outdated { get; init; } = [];

    /// <summary>Whether the change feed has news by it.</summary>
    public bool HasNews { get; init; }

    /// <summary>From when the user's data are now.</summary>
    public DateTimeOffset? DataAsOf { get; init; }

    /// <summary>How many posted transactions are taken for pending ones that they were.</summary>
    public int Linked { get; init; }

    /// <summary>How many may have been pending, and it cannot be told which those were.</summary>
    public int Ambiguous { get; init; }
}

/// <summary>What became of a publication.</summary>
public enum PublishOutcome
{
    /// <summary>The user's current snapshot holds what the sync fetched.</summary>
    Published,

    /// <summary>This very publication was made before; nothing changed.</summary>
    AlreadyPublished,

    /// <summary>
    /// Nothing of it was taken: newer syncs published every one of its connections, or the connections were removed.
    /// </summary>
    Superseded,

    /// <summary>
    /// Nothing of it was taken: some accounts were fetched in part, beside transactions that are not those of the snapshot any more. Fetch
    /// these accounts whole and publish again.
    /// </summary>
    Outdated,
}
