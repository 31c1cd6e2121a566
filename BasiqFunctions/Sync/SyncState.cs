using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

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
