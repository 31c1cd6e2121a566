using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>StartSync's answer: the sync, and where to ask for it.</summary>
public sealed record SyncStarted(
    [property: JsonPropertyName("syncId")] string SyncId,
    [property: JsonPropertyName("status")] SyncState Status,
    [property: JsonPropertyName("statusUrl")] string StatusUrl);
