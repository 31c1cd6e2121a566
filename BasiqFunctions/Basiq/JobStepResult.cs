using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq;

/// <summary>What came of a step.</summary>
public sealed record JobStepResult
{
    /// <summary><c>link</c> for a link.</summary>
    [JsonPropertyName("type")]
    public string? Type { get; init; }

    /// <summary>Where the result is; relative in most answers.</summary>
    [JsonPropertyName("url")]
    public string? Url { get; init; }

    /// <summary>Such as <c>invalid-credentials</c>.</summary>
    [JsonPropertyName("code")]
    public string? Code { get; init; }

    /// <summary>Basiq's title of the code.</summary>
    [JsonPropertyName("title")]
    public string? Title { get; init; }

    /// <summary>Basiq's explanation, free text.</summary>
    [JsonPropertyName("detail")]
    public string? Detail { get; init; }

    /// <summary>The same under the name that a user's job list uses.</summary>
    [JsonPropertyName("details")]
    public string? Details { get; init; }

    /// <summary>Fields that this app does not know.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Extra { get; set; }

    /// <summary>The code alone: the rest is free text.</summary>
    public override string ToString() => Code ?? Type ?? "";
}
