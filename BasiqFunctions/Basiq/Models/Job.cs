using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>
/// What Basiq does behind a connection, step by step (Basiq, Quickstart: API, step 5). It is read as far as it can be: only what has no
/// <c>id</c> is no job.
/// </summary>
[JsonConverter(typeof(Converter))]
public sealed record Job
{
    /// <summary>Basiq's id.</summary>
    public required string Id { get; init; }

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
    public string? ConnectionId => ConnectionLink?.ConnectionId;

    /// <summary>The user, once a link names it.</summary>
    public string? UserId => ConnectionLink?.UserId;

    private (string UserId, string ConnectionId)? ConnectionLink =>
        JobLinks.ParseConnection(Links?.Source)
        ?? Steps
            .Where(step => step.Title is "verify-credentials" or null)
            .Select(step => JobLinks.ParseConnection(step.Result?.Url))
            .FirstOrDefault(link => link is not null);

    /// <summary>Reads a job; null for what is none.</summary>
    internal static Job? Read(JsonElement json) =>
        json.Text("id") is { Length: > 0 } id
            ? new Job
            {
                Id = id,
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
