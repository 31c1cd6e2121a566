using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>GetSync's answer.</summary>
public sealed record SyncAnswer(
    [property: JsonPropertyName("syncId")] SyncId SyncId,
    [property: JsonPropertyName("userId")] UserId UserId,
    [property: JsonPropertyName("status")] SyncState Status,
    [property: JsonPropertyName("startedAt")] DateTimeOffset StartedAt,
    [property: JsonPropertyName("updatedAt")] DateTimeOffset UpdatedAt,
    [property: JsonPropertyName("jobs")] IReadOnlyList<SyncedJob> Jobs,
    [property: JsonPropertyName("accounts")] AccountProgress Accounts,
    [property: JsonPropertyName("transactions")] long Transactions,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("error")] SyncError? Error,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("transactionsSkipped")] long? TransactionsSkipped = null)
{
    /// <summary>While it waits for banks: when they will be done, by what their jobs take on average. Left out where nobody knows.</summary>
    [JsonPropertyName("expectedEndsAt"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? ExpectedEndsAt { get; init; }

    /// <summary>Whether it fetches the whole history of each account.</summary>
    [JsonIgnore]
    internal bool IsFull { get; init; }

    /// <summary>Whether it has not ended.</summary>
    [JsonIgnore]
    internal bool IsRunning => Status is SyncState.WaitingForBank or SyncState.Fetching;

    /// <summary>Whether StartSync has just started it once more, after a run that did not bring what Basiq has.</summary>
    [JsonIgnore]
    public bool IsStartedAgain { get; init; }

    /// <summary>
    /// Whether another run may bring what this one did not: a job was lost or out of time, so that how it ended is not known; or Basiq
    /// had data, and fetching it failed, be it of one account. What a bank refused, another run would hear again, and find the records that
    /// could not be read; what a caller stopped stays so.
    /// </summary>
    [JsonIgnore]
    internal bool MayBeStartedAgain =>
        (Status is SyncState.Partial or SyncState.Failed && Jobs.Any(job => job.IsLost || job.Status is JobState.TimedOut))
        || (Status is SyncState.Failed && Jobs.Any(job => job.Status is not JobState.Failed))
        || (Status is SyncState.Partial && Error is { IsOfFetching: true });
}

/// <summary>Where a sync stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SyncState>))]
public enum SyncState
{
    /// <summary>At least one job is still running at Basiq.</summary>
    [JsonStringEnumMemberName("waiting-for-bank")]
    WaitingForBank,

    /// <summary>The accounts of the connections that succeeded are being fetched.</summary>
    [JsonStringEnumMemberName("fetching")]
    Fetching,

    /// <summary>Everything was fetched and is the user's current snapshot.</summary>
    [JsonStringEnumMemberName("completed")]
    Completed,

    /// <summary>Some of it was; the jobs and the error say what was not.</summary>
    [JsonStringEnumMemberName("partial")]
    Partial,

    /// <summary>Nothing was.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>It was stopped by a caller; nothing of it was published.</summary>
    [JsonStringEnumMemberName("cancelled")]
    Cancelled,
}

/// <summary>How many accounts there are to fetch, how many have been, and what of Basiq's list could not be read.</summary>
public sealed record AccountProgress(
    [property: JsonPropertyName("total")] int Total,
    [property: JsonPropertyName("fetched")] int Fetched,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("skipped")]
    IReadOnlyList<SkippedAccounts>? Skipped = null);

/// <summary>Records of Basiq's list of accounts that could not be read, while the others were fetched.</summary>
/// <param name="Reason"><c>malformed-id</c> or <c>malformed-connection</c>.</param>
/// <param name="Count">How many.</param>
public sealed record SkippedAccounts(
    [property: JsonPropertyName("reason")] string Reason,
    [property: JsonPropertyName("count")] int Count);

/// <summary>Why a sync is not complete.</summary>
/// <param name="Code">One of ours, or Basiq's when the call to it is what failed.</param>
/// <param name="Detail">In words, without personal data.</param>
public sealed record SyncError(
    [property: JsonPropertyName("code")] string Code,
    [property: JsonPropertyName("detail")] string Detail)
{
    /// <summary>Code: records of Basiq's list of accounts could not be read.</summary>
    internal const string AccountsSkipped = "accounts-skipped";

    /// <summary>Code: transactions had no id.</summary>
    internal const string TransactionsSkipped = "transactions-skipped";

    /// <summary>Whether fetching failed, and not only records in what was fetched.</summary>
    [JsonIgnore]
    internal bool IsOfFetching => Code is not (AccountsSkipped or TransactionsSkipped);
}

/// <summary>StartSync's answer: the sync, and where to ask for it.</summary>
/// <param name="SyncId">Its id.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="StatusUrl">Where to ask for it.</param>
/// <param name="StartedAgain">
/// True when it had ended without all that Basiq has (a job was lost or out of time, or fetching failed) and is run once more.
/// </param>
public sealed record SyncStarted(
    [property: JsonPropertyName("syncId")] SyncId SyncId,
    [property: JsonPropertyName("status")] SyncState Status,
    [property: JsonPropertyName("statusUrl")] string StatusUrl,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("startedAgain")] bool? StartedAgain = null);
