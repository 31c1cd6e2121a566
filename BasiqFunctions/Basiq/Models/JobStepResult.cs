using System.Text.Json;

namespace BasiqFunctions.Basiq.Models;

/// <summary>What came of a step.</summary>
public sealed record JobStepResult
{
    /// <summary><c>link</c> for a link.</summary>
    public string? Type { get; init; }

    /// <summary>Where the result is; relative in most answers.</summary>
    public string? Url { get; init; }

    /// <summary>Such as <c>invalid-credentials</c>.</summary>
    public string? Code { get; init; }

    /// <summary>Basiq's title of the code.</summary>
    public string? Title { get; init; }

    /// <summary>Basiq's explanation, free text.</summary>
    public string? Detail { get; init; }

    /// <summary>The same under the name that a user's job list uses.</summary>
    public string? Details { get; init; }

    /// <summary>The result as received, for what only a challenge has.</summary>
    internal JsonElement Json { get; init; }

    /// <summary>The code alone: the rest is free text.</summary>
    public override string ToString() => Code ?? Type ?? "";

    /// <summary>Reads a result; null for what is none, such as a list.</summary>
    internal static JobStepResult? Read(JsonElement json) =>
        json.ValueKind is JsonValueKind.Object
            ? new JobStepResult
            {
                Type = json.Text("type"),
                Url = json.Text("url"),
                Code = json.Text("code"),
                Title = json.Text("title"),
                Detail = json.Text("detail"),
                Details = json.Text("details"),
                Json = json,
            }
            : null;
}
