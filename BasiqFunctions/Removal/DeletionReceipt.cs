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
/// <param name="Reports">How many reports were kept.</param>
public sealed record DeletionReceipt(
    [property: JsonPropertyName("receiptId")] string ReceiptId,
    [property: JsonPropertyName("userId")] UserId UserId,
    [property: JsonPropertyName("reason")] DeletionReason Reason,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("consentId")] string? ConsentId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("connectionId")] ConnectionId? ConnectionId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("accounts")] long? Accounts,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("transactions")] long? Transactions,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("connections")] long? Connections,
    [property: JsonPropertyName("syncsStopped")] int SyncsStopped,
    [property: JsonPropertyName("begunAt")] DateTimeOffset BegunAt,
    [property: JsonPropertyName("removedAt")] DateTimeOffset RemovedAt,
    [property: JsonPropertyName("reports")] int Reports = 0)
{
    /// <summary>Whether a consent's end took all that was kept of the user.</summary>
    [JsonIgnore]
    public bool IsOfConsent => ConnectionId is null && Reason is DeletionReason.ConsentRevoked or DeletionReason.ConsentExpired;
}

/// <summary>Why what was kept of a user was removed.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeletionReason>))]
public enum DeletionReason
{
    /// <summary>The person took the consent back.</summary>
    [JsonStringEnumMemberName("consent-revoked")]
    ConsentRevoked,

    /// <summary>The consent ran out.</summary>
    [JsonStringEnumMemberName("consent-expired")]
    ConsentExpired,

    /// <summary>The user was deleted, here or at Basiq.</summary>
    [JsonStringEnumMemberName("user-deleted")]
    UserDeleted,

    /// <summary>The connection was deleted, here or at Basiq.</summary>
    [JsonStringEnumMemberName("connection-deleted")]
    ConnectionDeleted,

    /// <summary>It had been kept as long as it may be.</summary>
    [JsonStringEnumMemberName("retention")]
    Retention,
}

/// <summary>Why data is removed.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="ConsentId">The consent that ended, where one did.</param>
public sealed record DeletionCause(DeletionReason Reason, string? ConsentId = null);

/// <summary>ListDeletionReceipts' answer.</summary>
/// <param name="Receipts">The receipts, the newest first.</param>
public sealed record DeletionReceiptList([property: JsonPropertyName("receipts")] IReadOnlyList<DeletionReceipt> Receipts);
