using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Health;

/// <summary>How well something does, from best to worst.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HealthStatus>))]
public enum HealthStatus
{
    /// <summary>It works.</summary>
    [JsonStringEnumMemberName("healthy")]
    Healthy,

    /// <summary>It does not, and the app does its work all the same, for now.</summary>
    [JsonStringEnumMemberName("degraded")]
    Degraded,

    /// <summary>It has not answered since the app started, which was a moment ago.</summary>
    [JsonStringEnumMemberName("starting")]
    Starting,

    /// <summary>It does not, and the app cannot do its work.</summary>
    [JsonStringEnumMemberName("unhealthy")]
    Unhealthy,
}
