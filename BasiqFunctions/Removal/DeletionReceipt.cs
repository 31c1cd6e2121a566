using System.Text.Json.Serialization;

namespace BasiqFunctions.Removal;

/// <summary>That data was removed: what, when and why, and nothing of what it said.</summary>
/// <param name="ReceiptId">The receipt's own id.</param>
/// <param name="UserId">Whose data it was.</param>
/// <param name="Reason">Why it was removed.</param>
/// <param name="ConsentId">The consent that ended, where one did.</param>
/// <param name="ConnectionId">The connection, where only its data was removed; all of the user's without.</param>
/// <param name="Accounts">How many accounts were kept; left out where the snapshot could not be read.</param>
/// <param name="Transactions">How many transactions were kept; left out where the snapshot could not be read.</param>
/// <param name="Connections">How many connections those were of; left out where the snapshot could not be read.</param>
/// <param name="SyncsStopped">How many syncs were running.</param>
/// <param name="BegunAt">When the removal began.</param>
/// <param name="RemovedAt">When all of it was gone.</param>
public sealed record DeletionReceipt(
    [property: JsonPropertyName("receiptId")] string ReceiptId,
    [property: JsonPropertyName("userId")] string UserId,
    [property: JsonPropertyName("reason")] DeletionReason Reason,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("consentId")] string? ConsentId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("connectionId")] string? ConnectionId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("accounts")] long? Accounts,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("transactions")] long? Transactions,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("connections")] long? Connections,
    [property: JsonPropertyName("syncsStopped")] int SyncsStopped,
    [property: JsonPropertyName("begunAt")] DateTimeOffset BegunAt,
    [property: JsonPropertyName("removedAt")] DateTimeOffset RemovedAt)
{
    /// <summary>Whether a consent's end took all that was kept of the user.</summary>
    [JsonIgnore]
    public bool IsOfConsent => ConnectionId is null && Reason is DeletionReason.ConsentRevoked or DeletionReason.ConsentExpired;
}
