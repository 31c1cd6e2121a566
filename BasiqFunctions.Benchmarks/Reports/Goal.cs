using System.Text.Json.Serialization;

namespace BasiqFunctions.Benchmarks.Reports;

/// <summary>A number that is to be held.</summary>
/// <param name="What">What is measured, with the unit.</param>
/// <param name="Measured">What came out.</param>
/// <param name="Limit">What is to be held.</param>
/// <param name="IsLeast">Whether it must be at least that; else at most.</param>
internal sealed record Goal(string What, double Measured, double Limit, bool IsLeast)
{
    [JsonPropertyName("isMet")]
    public bool IsMet => IsLeast ? Measured >= Limit : Measured <= Limit;

    /// <summary>The same goal with a margin: half as good is good enough where only a break is to be noticed.</summary>
    [JsonIgnore]
    public Goal Halved => this with { Limit = IsLeast ? Limit / 2 : Limit * 2 };
}
