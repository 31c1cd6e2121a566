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
