using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>StartSync's answer: the sync, and where to ask for it.</summary>
/// <param name="SyncId">Its id.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="StatusUrl">Where to ask for it.</param>
/// <param name="StartedAgain">
/// True when it had ended without all that Basiq has (a job was lost or out of time, or fetching failed) and is run once more.
/// </param>
public sealed record SyncStarted(
    [property: JsonPropertyName("syncId")] string SyncId,
    [property: JsonPropertyName("status")] SyncState Status,
    [property: JsonPropertyName("statusUrl")] string StatusUrl,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("startedAgain")] bool? StartedAgain = null);
