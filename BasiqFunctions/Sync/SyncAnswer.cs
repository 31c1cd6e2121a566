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
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("error")] SyncError? Error);
