using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace BasiqFunctions.Basiq.Models;

/// <summary>
/// What Basiq does behind a connection, step by step (Basiq, Quickstart: API, step 5). It is read as far as it can be: only what has no
/// <c>id</c> is no job.
/// </summary>
[JsonConverter(typeof(Converter))]
public sealed record Job
{
    /// <summary>Basiq's id.</summary>
    public required JobId Id { get; init; }

    /// <summary>When it was made, ISO 8601.</summary>
    public string? Created { get; init; }

    /// <summary>The bank, which a user's job list names.</summary>
    public string? InstitutionId { get; init; }

    /// <summary>When a step last changed, ISO 8601.</summary>
    public string? Updated { get; init; }

    /// <summary>The steps in Basiq's order; their number varies.</summary>
    public IReadOnlyList<JobStep> Steps { get; init; } = [];

    /// <summary>Links to the job and, once known, its connection.</summary>
    public JobLinks? Links { get; init; }

    /// <summary>
    /// Succeeded when every step has (and there is one at least), failed when any has. A step that cannot be read has done neither.
    /// </summary>
    public JobOutcome Outcome
    {
        get
        {
            if (Steps.Any(step => step.HasFailed))
                return JobOutcome.Failed;
            if (Steps.Count > 0 && Steps.All(step => step.HasSucceeded))
                return JobOutcome.Succeeded;
            return Steps.All(step => step.IsPending) ? JobOutcome.Pending : JobOutcome.InProgress;
        }
    }

    /// <summary>The connection, once <c>links.source</c> or the result of <c>verify-credentials</c> names it.</summary>
    public ConnectionId? ConnectionId => ConnectionLink?.ConnectionId;

    /// <summary>The user, once a link names it.</summary>
    public UserId? UserId => ConnectionLink?.UserId;

    private (UserId UserId, ConnectionId ConnectionId)? ConnectionLink =>
        JobLinks.ParseConnection(Links?.Source)
        ?? Steps
            .Where(step => step.Title is "verify-credentials" or null)
            .Select(step => JobLinks.ParseConnection(step.Result?.Url))
            .FirstOrDefault(link => link is not null);

    /// <summary>The report that it makes, once a link names it.</summary>
    public BasiqReportId? Report => Steps.Select(step => step.Result?.Url).Prepend(Links?.Source).Select(JobLinks.ParseReport).FirstOrDefault(id => id is not null);

    /// <summary>Reads a job; null for what is none.</summary>
    internal static Job? Read(JsonElement json) =>
        json.Text("id") is { Length: > 0 } id
            ? new Job
            {
                Id = new(id),
                Created = json.Text("created"),
                InstitutionId = json.Text("institution", "id"),
                Updated = json.Text("updated"),
                Steps = json.TryGetProperty("steps", out var steps) && steps.ValueKind is JsonValueKind.Array
                    ? [.. steps.EnumerateArray().Select(JobStep.Read)]
                    : [],
                Links = json.Text("links", "source") is { } source ? new JobLinks { Source = source } : null,
            }
            : null;

    internal sealed class Converter : JsonConverter<Job>
    {
        public override Job Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Job.Read(JsonElement.ParseValue(ref reader)) ?? throw new JsonException("A job without 'id'.");

        public override void Write(Utf8JsonWriter writer, Job value, JsonSerializerOptions options) =>
            throw new NotSupportedException("Jobs come from Basiq and do not go there.");
    }
}

/// <summary>How far a job is, judged by its steps.</summary>
public enum JobOutcome
{
    /// <summary>No step has begun.</summary>
    Pending,

    /// <summary>Some step has begun and none has failed.</summary>
    InProgress,

    /// <summary>Every step has succeeded.</summary>
    Succeeded,

    /// <summary>A step has failed.</summary>
    Failed,
}

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

/// <summary>Links of a job.</summary>
public sealed partial record JobLinks
{
    /// <summary>The connection, <c>…/users/{userId}/connections/{connectionId}</c>, once it is known.</summary>
    public string? Source { get; init; }

    /// <summary>User and connection that a link, absolute or relative, leads to.</summary>
    internal static (UserId UserId, ConnectionId ConnectionId)? ParseConnection(string? link) =>
        link is not null && ConnectionPath().Match(link) is { Success: true } match
            ? (new(match.Groups["user"].Value), new(match.Groups["connection"].Value))
            : null;

    /// <summary>The report that a link, absolute or relative, leads to.</summary>
    internal static BasiqReportId? ParseReport(string? link) =>
        link is not null && ReportPath().Match(link) is { Success: true } match ? new(match.Groups["report"].Value) : null;

    [GeneratedRegex("^(https?://[^/?#]+)?/reports/(?<report>[A-Za-z0-9_-]{1,64})/?$")]
    private static partial Regex ReportPath();

    [GeneratedRegex("^(https?://[^/?#]+)?/users/(?<user>[A-Za-z0-9_-]{1,64})/connections/(?<connection>[A-Za-z0-9_-]{1,64})/?$")]
    private static partial Regex ConnectionPath();
}

/// <summary>The body of <c>POST /jobs/{jobId}/mfa</c>.</summary>
internal sealed record MfaResponse([property: JsonPropertyName("mfa-response")] IReadOnlyList<string> Answers);
