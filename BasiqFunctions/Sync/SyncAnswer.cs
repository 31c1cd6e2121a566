using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>GetSync's answer.</summary>
public sealed record SyncAnswer(
    [property: JsonPropertyName("syncId")] string SyncId,
    [property: JsonPropertyName("userId")] string UserId,
    [property: JsonPropertyName("status")] SyncState Status,
    [property: JsonPropertyName("startedAt")] DateTimeOffset StartedAt,
    [property: JsonPropertyName("updatedAt")] DateTimeOffset UpdatedAt,
    [property: JsonPropertyName("jobs")] IReadOnlyList<SyncedJob> Jobs,
    [property: JsonPropertyName("accounts")] AccountProgress Accounts,
    [property: JsonPropertyName("transactions")] long Transactions,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("error")] SyncError? Error,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("transactionsSkipped")] long? TransactionsSkipped = null)
{
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
