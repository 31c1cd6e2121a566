using System.Text.Json;

namespace BasiqFunctions.Basiq.Models;

/// <summary>One step of a job.</summary>
public sealed record JobStep
{
    /// <summary>The status of a step that gives none that can be read: it is not finished.</summary>
    public const string UnknownStatus = "unknown";

    /// <summary>Such as <c>verify-credentials</c>; titles to come survive, and Basiq may leave it out.</summary>
    public string? Title { get; init; }

    /// <summary><c>pending</c>, <c>in-progress</c>, <c>success</c> or <c>failed</c>; else <see cref="UnknownStatus"/>, or one to come.</summary>
    public required string Status { get; init; }

    /// <summary>What came of it: null, a link, or a code with its detail.</summary>
    public JobStepResult? Result { get; init; }

    /// <summary>Whether it is the bank's question to the person, asked or not; Basiq's examples leave titles out.</summary>
    public bool IsChallenge => Title is "mfa-challenge" || Result?.Type is "mfa";

    /// <summary>Whether the bank waits for an answer now.</summary>
    public bool AwaitsAnswer => IsChallenge && Status is "in-progress" && Result is not null;

    /// <summary>Whether it has not begun.</summary>
    public bool IsPending => Status is "pending";

    /// <summary>Whether it is done.</summary>
    public bool HasSucceeded => Status is "success";

    /// <summary>Whether it failed.</summary>
    public bool HasFailed => Status is "failed";

    /// <summary>Reads a step as far as it can be read.</summary>
    internal static JobStep Read(JsonElement json) => new()
    {
        Title = json.Text("title"),
        Status = json.Text("status") is { Length: > 0 } status ? status : UnknownStatus,
        Result = json.ValueKind is JsonValueKind.Object && json.TryGetProperty("result", out var result) ? JobStepResult.Read(result) : null,
    };
}
