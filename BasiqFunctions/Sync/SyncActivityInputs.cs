using System.Text.Json.Serialization;
using BasiqFunctions.Data;

namespace BasiqFunctions.Sync;

/// <summary>Which job to read, and whose it must be.</summary>
public sealed record ObserveJobInput(UserId UserId, JobId JobId);

/// <summary>Whose accounts to stage, and of which connections; all of them when null.</summary>
public sealed record StageAccountsInput(UserId UserId, [property: JsonPropertyName("SyncId")] RunId RunId, IReadOnlyList<ConnectionId>? ConnectionIds, FetchRules Rules);

/// <summary>
/// What was staged: the accounts, with what of each is to be fetched, and the connections whose accounts they are; and what else the list of
/// accounts told.
/// </summary>
public sealed record StagedAccounts(
    IReadOnlyList<AccountFetch> Accounts, IReadOnlyList<ConnectionId> ConnectionIds, AccountListing Listing, IReadOnlyList<SkippedAccounts> Skipped);

/// <summary>Of which accounts to fetch what is pending.</summary>
public sealed record FetchPendingInput(UserId UserId, [property: JsonPropertyName("SyncId")] RunId RunId, IReadOnlyList<AccountId> AccountIds, int PageSize);

/// <summary>What is pending, by account; those without anything pending are left out. Beside it how many records could not be read.</summary>
public sealed record FetchedPending(
    IReadOnlyDictionary<AccountId, PendingSegment> Segments,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Skipped = 0);

/// <summary>The attempt that wrote what is pending of an account, and how many transactions that is.</summary>
public sealed record PendingSegment(string Attempt, int Count);

/// <summary>
/// Which part of an account's transactions to fetch: <paramref name="NextLink"/> is null for the beginning,
/// <paramref name="Before"/> is the attempt that wrote the segment before. <paramref name="Kept"/> is null for the whole, and else leaves
/// what is posted from its first day on or, with <paramref name="IsOlder"/>, the history that is older than what is kept.
/// </summary>
public sealed record FetchTransactionsInput(
    UserId UserId,
    [property: JsonPropertyName("SyncId")] RunId RunId,
    AccountId AccountId,
    int Segment,
    string? Before,
    string? NextLink,
    int PageBudget,
    int PageSize,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] KeptSpan? Kept = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool IsOlder = false);

/// <summary>
/// Which attempt wrote a segment, how many transactions it holds, where the next one begins (null at the end), and how many records of
/// Basiq's pages could not be read.
/// </summary>
/// <param name="Attempt">The attempt.</param>
/// <param name="Count">The transactions.</param>
/// <param name="NextLink">Where to go on.</param>
/// <param name="Skipped">The records that could not be read.</param>
/// <param name="Known">How many transactions of the days that are fetched again were known.</param>
/// <param name="Matched">How many of those this segment has as they were.</param>
/// <param name="IsInOrder">Whether those come in the order in which they were known.</param>
/// <param name="MustBeWhole">Whether what it holds does not go with what is kept, so that the whole account must be fetched.</param>
public sealed record FetchedSegment(
    string Attempt,
    int Count,
    string? NextLink,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Skipped = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Known = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Matched = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool IsInOrder = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool MustBeWhole = false);

/// <summary>What to publish: the segments of each account that was fetched to its end, and how those were that were not fetched whole.</summary>
public sealed record PublishInput(
    UserId UserId,
    [property: JsonPropertyName("SyncId")] RunId RunId,
    DateTimeOffset StartedAt,
    DateTimeOffset AsOf,
    IReadOnlyList<ConnectionId> ConnectionIds,
    IReadOnlyDictionary<AccountId, IReadOnlyList<string>> Segments,
    IReadOnlyDictionary<AccountId, FetchedSpan> Spans,
    AccountListing Listing);

/// <summary>Whose staged sync to remove.</summary>
public sealed record DiscardInput(UserId UserId, [property: JsonPropertyName("SyncId")] RunId RunId);
