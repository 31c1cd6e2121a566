using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Sync;

/// <summary>A job as a sync last saw it.</summary>
/// <param name="JobId">Basiq's id.</param>
/// <param name="ConnectionId">The connection, once Basiq names it.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Steps">Its steps, in Basiq's order.</param>
/// <param name="NextAction">What to do about it, once it has failed.</param>
public sealed record SyncedJob(
    [property: JsonPropertyName("jobId")] string JobId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("connectionId")] string? ConnectionId,
    [property: JsonPropertyName("status")] JobState Status,
    [property: JsonPropertyName("steps")] IReadOnlyList<SyncedStep> Steps,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("nextAction")] NextAction? NextAction = null)
{
    /// <summary>Code of a job that Basiq does not know, or that is another user's.</summary>
    public const string NotFoundCode = "job-not-found";

    /// <summary>Whether Basiq is done with it, or we are.</summary>
    [JsonIgnore]
    public bool IsSettled => Status is not (JobState.Pending or JobState.InProgress);

    /// <summary>Why it failed, as the first failed step that gives a code says; null when none does.</summary>
    [JsonIgnore]
    public string? FailureCode => Steps.FirstOrDefault(step => step.Code is not null)?.Code;

    /// <summary>Whether Basiq did not know it any more when it was last asked.</summary>
    [JsonIgnore]
    public bool IsLost => Steps is [{ Code: NotFoundCode }];

    /// <summary>A job of which nothing is known yet.</summary>
    public static SyncedJob Unseen(string jobId) => new(jobId, null, JobState.Pending, []);

    /// <summary>A job that cannot be followed.</summary>
    public static SyncedJob Lost(string jobId, string code) =>
        new(jobId, null, JobState.Failed, [new SyncedStep(null, "failed", code)], Sync.NextAction.ContactSupport);

    /// <summary>What a sync keeps of Basiq's answer.</summary>
    public static SyncedJob From(Job job)
    {
        var status = job.Outcome switch
        {
            JobOutcome.Succeeded => JobState.Success,
            JobOutcome.Failed => JobState.Failed,
            JobOutcome.InProgress => JobState.InProgress,
            _ => JobState.Pending,
        };
        var synced = new SyncedJob(job.Id, job.ConnectionId, status, [.. job.Steps.Select(SyncedStep.From)]);
        return status is JobState.Failed ? synced with { NextAction = JobCodes.ActionFor(synced.FailureCode) } : synced;
    }

    /// <summary>The job after its time is over.</summary>
    public SyncedJob TimedOut() => this with { Status = JobState.TimedOut, NextAction = Sync.NextAction.RetryLater };
}
