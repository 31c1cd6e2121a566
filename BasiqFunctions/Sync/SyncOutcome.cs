using System.Collections.Frozen;
using System.Text.Json;

namespace BasiqFunctions.Sync;

/// <summary>How syncs and their jobs ended, as telemetry names it: in few words, whatever Basiq and its banks come up with.</summary>
internal static class SyncOutcome
{
    /// <summary>A failure code that is none of <see cref="Codes"/>.</summary>
    internal const string OtherCode = "other";

    private static readonly FrozenDictionary<SyncState, string> SyncStates = Enum.GetValues<SyncState>()
        .ToFrozenDictionary(state => state, state => JsonNamingPolicy.KebabCaseLower.ConvertName(state.ToString()));

    private static readonly FrozenDictionary<JobState, string> JobStates = Enum.GetValues<JobState>()
        .ToFrozenDictionary(state => state, state => JsonNamingPolicy.KebabCaseLower.ConvertName(state.ToString()));

    /// <summary>
    /// The codes of a failed step that have a name of their own (Basiq, API reference: Jobs; and Quickstart: API, step 5), and ours.
    /// </summary>
    internal static FrozenSet<string> Codes { get; } =
    [
        "account-data-differs", "account-not-accessible-requires-user-action", "authorization-failed", "bank-statement-invalid",
        "bank-statement-new-product", "bank-statement-not-supported", "bank-statement-parsing-error", "connector-error", "empty-file",
        "institution-disabled", "institution-not-available", "institution-not-found", "invalid-connection", "invalid-credentials",
        "invalid-csv-row", "invalid-field-value", SyncedJob.NotFoundCode, "job-timed-out", "maintenance", "missing-required-field",
        "missing-required-field-value", "row-count-exceeded", "service-unavailable", "system-unavailable",
        "txn-after-last-updated-date", "unknown-error", "user-action-required",
    ];

    internal static string Of(SyncState state) => SyncStates[state];

    internal static string Of(JobState state) => JobStates[state];

    /// <summary>Why a job failed; null when it did not.</summary>
    internal static string? FailureCodeOf(SyncedJob job) => job.Status switch
    {
        JobState.TimedOut => "job-timed-out",
        JobState.Failed => job.Steps.FirstOrDefault(step => step.Code is not null)?.Code is { } code && Codes.TryGetValue(code, out var known)
            ? known
            : OtherCode,
        _ => null,
    };
}
