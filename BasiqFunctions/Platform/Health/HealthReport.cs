using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Health;

/// <summary>Health's answer.</summary>
/// <param name="Status">The worst of the checks'.</param>
/// <param name="Checks">One line per dependency.</param>
public sealed record HealthReport(
    [property: JsonPropertyName("status")] HealthStatus Status,
    [property: JsonPropertyName("checks")] IReadOnlyList<HealthLine> Checks)
{
    /// <summary>The report of these checks.</summary>
    public static HealthReport Of(IReadOnlyList<HealthLine> checks) => new(checks.Max(check => check.Status), checks);
}

/// <summary>How one dependency does.</summary>
/// <param name="Name"><c>server-token</c>, <c>key-vault</c>, <c>snapshots</c>, <c>records</c>, <c>task-hub</c> or <c>basiq</c>.</param>
/// <param name="Status">How well.</param>
/// <param name="Detail">Why, as a code or a time; never a secret.</param>
/// <param name="CheckedAt">When it was last asked; callers within 5 s get the same answer.</param>
public sealed record HealthLine(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("status")] HealthStatus Status,
    [property: JsonPropertyName("detail")] string? Detail,
    [property: JsonPropertyName("checkedAt")] DateTimeOffset CheckedAt);

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
