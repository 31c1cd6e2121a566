using System.Collections.Frozen;
using System.Text.Json;

namespace BasiqFunctions.Sync;

/// <summary>How syncs and their jobs ended, as telemetry names it: in few words, whatever Basiq and its banks come up with.</summary>
internal static class SyncOutcome
{
    /// <summary>A failure code that is none of <see cref="JobCodes"/>.</summary>
    internal const string OtherCode = "other";

    private static readonly FrozenDictionary<SyncState, string> SyncStates = Enum.GetValues<SyncState>()
        .ToFrozenDictionary(state => state, state => JsonNamingPolicy.KebabCaseLower.ConvertName(state.ToString()));

    private static readonly FrozenDictionary<JobState, string> JobStates = Enum.GetValues<JobState>()
        .ToFrozenDictionary(state => state, state => JsonNamingPolicy.KebabCaseLower.ConvertName(state.ToString()));

    internal static string Of(SyncState state) => SyncStates[state];

    internal static string Of(JobState state) => JobStates[state];

    /// <summary>Why a job failed; null when it did not.</summary>
    internal static string? FailureCodeOf(SyncedJob job) => job.Status switch
    {
        JobState.TimedOut => JobCodes.TimedOut,
        JobState.Failed => JobCodes.Known(job.FailureCode) ?? OtherCode,
        _ => null,
    };
}
