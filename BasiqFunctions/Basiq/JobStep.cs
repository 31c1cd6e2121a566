using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq;

/// <summary>One step of a job.</summary>
public sealed record JobStep
{
    /// <summary>Such as <c>verify-credentials</c>; titles to come survive, and Basiq may leave it out.</summary>
    [JsonPropertyName("title")]
    public string? Title { get; init; }

    /// <summary><c>pending</c>, <c>in-progress</c>, <c>success</c> or <c>failed</c>.</summary>
    [JsonPropertyName("status")]
    public required string Status { get; init; }

    /// <summary>What came of it: null, a link, or a code with its detail.</summary>
    [JsonPropertyName("result")]
    public JobStepResult? Result { get; init; }

    /// <summary>Fields that this app does not know.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Extra { get; set; }

    /// <summary>Whether it is the bank's question to the person, asked or not; Basiq's examples leave titles out.</summary>
    [JsonIgnore]
    public bool IsChallenge => Title is "mfa-challenge" || Result?.Type is "mfa";

    /// <summary>Whether the bank waits for an answer now.</summary>
    [JsonIgnore]
    public bool AwaitsAnswer => IsChallenge && Status is "in-progress" && Result is not null;

    /// <summary>Whether it has not begun.</summary>
    [JsonIgnore]
    public bool IsPending => Status is "pending";

    /// <summary>Whether it is done.</summary>
    [JsonIgnore]
    public bool HasSucceeded => Status is "success";

    /// <summary>Whether it failed.</summary>
    [JsonIgnore]
    public bool HasFailed => Status is "failed";
}
