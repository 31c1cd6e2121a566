using System.Text.Json.Serialization;

namespace BasiqFunctions.Removal;

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
