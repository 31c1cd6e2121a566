using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq;

/// <summary>What Basiq does behind a connection, step by step (Basiq, Quickstart: API, step 5).</summary>
public sealed record Job
{
    /// <summary>Basiq's id.</summary>
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    /// <summary>When it was made, ISO 8601.</summary>
    [JsonPropertyName("created")]
    public string? Created { get; init; }

    /// <summary>When a step last changed, ISO 8601.</summary>
    [JsonPropertyName("updated")]
    public string? Updated { get; init; }

    /// <summary>Such as <c>connection</c>.</summary>
    [JsonPropertyName("jobType")]
    public string? JobType { get; init; }

    /// <summary>The steps in Basiq's order; their number varies.</summary>
    [JsonPropertyName("steps")]
    public IReadOnlyList<JobStep> Steps { get => field ?? []; init; }

    /// <summary>Links to the job and, once known, its connection.</summary>
    [JsonPropertyName("links")]
    public JobLinks? Links { get; init; }

    /// <summary>Fields that this app does not know.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Extra { get; set; }

    /// <summary>Succeeded when every step has (and there is one at least), failed when any has.</summary>
    [JsonIgnore]
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
    [JsonIgnore]
    public string? ConnectionId => ConnectionLink?.ConnectionId;

    /// <summary>The user, once a link names it.</summary>
    [JsonIgnore]
    public string? UserId => ConnectionLink?.UserId;

    private (string UserId, string ConnectionId)? ConnectionLink =>
        JobLinks.ParseConnection(Links?.Source)
        ?? Steps
            .Where(step => step.Title is "verify-credentials" or null)
            .Select(step => JobLinks.ParseConnection(step.Result?.Url))
            .FirstOrDefault(link => link is not null);
}
