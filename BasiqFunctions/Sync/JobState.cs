using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>Where a job stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobState>))]
public enum JobState
{
    /// <summary>No step has begun.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending,

    /// <summary>A step has.</summary>
    [JsonStringEnumMemberName("in-progress")]
    InProgress,

    /// <summary>Every step has succeeded.</summary>
    [JsonStringEnumMemberName("success")]
    Success,

    /// <summary>A step has failed.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>It did not end within <c>Sync:JobTimeout</c>.</summary>
    [JsonStringEnumMemberName("timed-out")]
    TimedOut,
}
