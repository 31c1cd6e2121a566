using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Telemetry;

namespace BasiqFunctions.Sync;

/// <summary>
/// A step of a job as a sync last saw it. What is not known is left out of its JSON, whoever writes it: a custom status is small.
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
