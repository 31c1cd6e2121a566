using System.Text.Json;
using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Telemetry;

namespace BasiqFunctions.Sync;

/// <summary>A job as a sync last saw it.</summary>
/// <param name="JobId">Basiq's id.</param>
/// <param name="ConnectionId">The connection, once Basiq names it.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Steps">Its steps, in Basiq's order.</param>
/// <param name="NextAction">What to do about it, once it has failed.</param>
public sealed record SyncedJob(
    [property: JsonPropertyName("jobId")] JobId JobId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("connectionId")] ConnectionId? ConnectionId,
    [property: JsonPropertyName("status")] JobState Status,
    [property: JsonPropertyName("steps")] IReadOnlyList<SyncedStep> Steps,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("nextAction")] NextAction? NextAction = null)
{
    /// <summary>With <c>wait-for-bank</c>: what Basiq says of the bank, such as <c>major-outage</c>.</summary>
    [JsonPropertyName("bankStatus"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? BankStatus { get; init; }

    /// <summary>With <c>retry-later</c>: when to try again.</summary>
    [JsonPropertyName("retryAt"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>When a job that is running will have ended, by what the bank's jobs take on average.</summary>
    [JsonPropertyName("expectedEndsAt"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? ExpectedEndsAt { get; init; }

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
    public static SyncedJob Unseen(JobId jobId) => new(jobId, null, JobState.Pending, []);

    /// <summary>A job that cannot be followed.</summary>
    public static SyncedJob Lost(JobId jobId, string code) =>
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
    public SyncedJob TimedOut() => this with { Status = JobState.TimedOut, NextAction = Sync.NextAction.RetryLater, ExpectedEndsAt = null };
}

/// <summary>Where a job stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobState>))]
public enum JobState
{
    /// <summary>No step has begun.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending,

    /// <summary>A step has.</summary>
    [JsonStringEnumMemberName("in-progress")]
    InProgress,

    /// <summary>Every step has succeeded.</summary>
    [JsonStringEnumMemberName("success")]
    Success,

    /// <summary>A step has failed.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>It did not end within <c>Sync:JobTimeout</c>.</summary>
    [JsonStringEnumMemberName("timed-out")]
    TimedOut,
}

/// <summary>
/// A step of a job as a sync last saw it. Its JSON leaves out what is not known, with any serializer: a custom status is small.
/// </summary>
/// <param name="Title">Such as <c>verify-credentials</c>, when Basiq gives one.</param>
/// <param name="Status"><c>pending</c>, <c>in-progress</c>, <c>success</c> or <c>failed</c>.</param>
/// <param name="Code">Why it failed, such as <c>invalid-credentials</c>.</param>
/// <param name="Detail">
/// Basiq's title of the code, with e-mail addresses and long numbers masked. The explanation beside it is a bank's free text and may name
/// people, which an orchestration's history must not.
/// </param>
public sealed record SyncedStep(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("title")] string? Title,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("code")] string? Code = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("detail")] string? Detail = null)
{
    /// <summary>
    /// What the bank asks the person, while it waits for the answer. It is asked of Basiq for each answer of GetSync and kept nowhere:
    /// what an orchestration knows of a step goes into its history.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonPropertyName("challenge")]
    public SyncedChallenge? Challenge { get; init; }

    /// <summary>Title of the step in which the bank asks the person.</summary>
    public const string ChallengeTitle = "mfa-challenge";

    /// <summary>Longer ones are cut: they travel in the orchestration's custom status, which is small.</summary>
    public const int MostDetailLength = 200;

    /// <summary>What a sync keeps of Basiq's step.</summary>
    public static SyncedStep From(JobStep step)
    {
        // What makes a step a challenge may be its result alone, and that is not kept.
        var title = step.IsChallenge ? ChallengeTitle : step.Title;
        if (!step.HasFailed)
            return new SyncedStep(title, step.Status);
        var said = step.Result?.Title;
        var detail = said is null ? null : DetailRedaction.Mask(said);
        return new SyncedStep(
            title, step.Status, step.Result?.Code,
            detail?.Length > MostDetailLength ? Cut(detail) : detail);
    }

    /// <summary>Cuts between characters, never through a surrogate pair.</summary>
    private static string Cut(string detail) =>
        detail[..(char.IsHighSurrogate(detail[MostDetailLength - 1]) ? MostDetailLength - 1 : MostDetailLength)] + "…";
}

/// <summary>What a bank asks a person who connects it, as Basiq words it (Basiq, API reference: Jobs, <c>mfa-challenge</c>).</summary>
/// <param name="Type">Always <c>mfa</c>.</param>
/// <param name="Method">How it is answered, such as <c>token</c> for a code.</param>
/// <param name="Description">What is to be done.</param>
/// <param name="Input">What is to be answered, one text for each answer.</param>
/// <param name="ExpiryMs">How long the bank waits, in milliseconds from when it asked.</param>
/// <param name="Links">Where the answer goes.</param>
public sealed record SyncedChallenge(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("method")] string? Method,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("description")] string? Description,
    [property: JsonPropertyName("input")] IReadOnlyList<string> Input,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("expiryMs")] long? ExpiryMs,
    [property: JsonPropertyName("links")] ChallengeLinks Links)
{
    /// <summary>The challenge of a step that waits for an answer; Basiq's own link is replaced by ours.</summary>
    public static SyncedChallenge From(JobStepResult result, string responseUrl)
    {
        ArgumentNullException.ThrowIfNull(result);
        var asked = result.Json;
        return new SyncedChallenge(
            "mfa",
            Text("method"),
            Text("description"),
            Has("input", JsonValueKind.Array, out var input)
                ? [.. input.EnumerateArray().Where(i => i.ValueKind is JsonValueKind.String).Select(i => i.Text()!)]
                : [],
            Has("expiryMs", JsonValueKind.Number, out var expiry) && expiry.TryGetInt64(out var wait) ? wait : null,
            new ChallengeLinks(responseUrl));

        string? Text(string name) => Has(name, JsonValueKind.String, out var value) ? value.Text() : null;

        bool Has(string name, JsonValueKind kind, out JsonElement value)
        {
            value = default;
            return asked.ValueKind is JsonValueKind.Object && asked.TryGetProperty(name, out value) && value.ValueKind == kind;
        }
    }

    /// <summary>The method alone: the rest is about a person.</summary>
    public override string ToString() => $"{nameof(SyncedChallenge)} {Method}";
}

/// <summary>Where a challenge leads.</summary>
/// <param name="Response">Where the answer goes (AnswerMfa).</param>
public sealed record ChallengeLinks([property: JsonPropertyName("response")] string Response);
