using BasiqFunctions.Snapshots;

namespace BasiqFunctions.Sync;

/// <summary>Which job to read, and whose it must be.</summary>
public sealed record ObserveJobInput(string UserId, string JobId);

/// <summary>Whose accounts to stage, and of which connections; all of them when null.</summary>
public sealed record StageAccountsInput(string UserId, string SyncId, IReadOnlyList<string>? ConnectionIds);

/// <summary>What was staged: the accounts, and the connections whose accounts they are; and what else the list of accounts told.</summary>
public sealed record StagedAccounts(
    IReadOnlyList<string> AccountIds, IReadOnlyList<string> ConnectionIds, AccountListing Listing, IReadOnlyList<SkippedAccounts> Skipped);

/// <summary>
/// Which part of an account's transactions to fetch: <paramref name="NextLink"/> is null for the beginning,
/// <paramref name="Before"/> is the attempt that wrote the segment before.
/// </summary>
public sealed record FetchTransactionsInput(
    string UserId, string SyncId, string AccountId, int Segment, string? Before, string? NextLink, int PageBudget, int PageSize);

/// <summary>
/// Which attempt wrote a segment, how many transactions it holds, where the next one begins (null at the end), and how many records of
/// Basiq's pages could not be read.
/// </summary>
public sealed record FetchedSegment(string Attempt, int Count, string? NextLink, int Skipped = 0);

/// <summary>What to publish: the segments of each account that was fetched to its end.</summary>
public sealed record PublishInput(
    string UserId,
    string SyncId,
    DateTimeOffset StartedAt,
    IReadOnlyList<string> ConnectionIds,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Segments,
    AccountListing Listing);

/// <summary>Whose staged sync to remove.</summary>
public sealed record DiscardInput(string UserId, string SyncId);
