using System.Collections.Frozen;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>
/// Basiq's codes of a failed job step, sorted by what the person must do (Basiq, API reference: Jobs and Events; guide: Codes, Handling
/// jobs). <c>docs/job-codes.md</c> has the same table, with what each code means.
/// </summary>
internal static class JobCodes
{
    /// <summary>Basiq's code of a job that ran out of time.</summary>
    internal const string TimedOut = "job-timed-out";

    /// <summary>Codes of a bank that may be away for longer than some minutes.</summary>
    private static readonly FrozenSet<string> OfOutages =
        FrozenSet.ToFrozenSet(["service-unavailable", "system-unavailable", "institution-not-available", "maintenance", "maintenance-error"], StringComparer.OrdinalIgnoreCase);

    /// <summary>The codes that are known, each with its next action.</summary>
    internal static FrozenDictionary<string, NextAction> Actions { get; } = new Dictionary<string, NextAction>
    {
        ["authorization-failed"] = NextAction.Reconnect,
        ["invalid-connection"] = NextAction.Reconnect,
        ["invalid-credentials"] = NextAction.Reconnect,
        ["invalid-username-or-password"] = NextAction.Reconnect,
        ["locked-account"] = NextAction.Reconnect,
        ["multi-factor-authentication"] = NextAction.Reconnect,
        ["multifactor-required"] = NextAction.Reconnect,

        ["account-not-accessible-requires-user-action"] = NextAction.ActAtBank,
        ["user-action-required"] = NextAction.ActAtBank,

        ["connector-error"] = NextAction.RetryLater,
        ["institution-not-available"] = NextAction.RetryLater,
        [TimedOut] = NextAction.RetryLater,
        ["maintenance"] = NextAction.RetryLater,
        ["maintenance-error"] = NextAction.RetryLater,
        ["service-unavailable"] = NextAction.RetryLater,
        ["system-unavailable"] = NextAction.RetryLater,
        ["too-many-requests"] = NextAction.RetryLater,

        ["account-data-differs"] = NextAction.ContactSupport,
        ["bank-statement-invalid"] = NextAction.ContactSupport,
        ["bank-statement-new-product"] = NextAction.ContactSupport,
        ["bank-statement-not-supported"] = NextAction.ContactSupport,
        ["bank-statement-parsing-error"] = NextAction.ContactSupport,
        ["empty-file"] = NextAction.ContactSupport,
        ["institution-disabled"] = NextAction.ContactSupport,
        ["institution-not-found"] = NextAction.ContactSupport,
        ["institution-not-supported"] = NextAction.ContactSupport,
        ["internal-server-error"] = NextAction.ContactSupport,
        ["invalid-csv-row"] = NextAction.ContactSupport,
        ["invalid-field-value"] = NextAction.ContactSupport,
        ["invalid-request-content"] = NextAction.ContactSupport,
        ["missing-required-field"] = NextAction.ContactSupport,
        ["missing-required-field-value"] = NextAction.ContactSupport,
        ["no-production-access"] = NextAction.ContactSupport,
        ["row-count-exceeded"] = NextAction.ContactSupport,
        ["too-many-sandbox-connections"] = NextAction.ContactSupport,
        ["txn-after-last-updated-date"] = NextAction.ContactSupport,
        ["unknown-error"] = NextAction.ContactSupport,
        [SyncedJob.NotFoundCode] = NextAction.ContactSupport,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>What a code asks for; of one that is not known, or of none, to contact support.</summary>
    internal static NextAction ActionFor(string? code) =>
        Spelled(code) is { } spelled && Actions.TryGetValue(spelled, out var action) ? action : NextAction.ContactSupport;

    /// <summary>The code in the table's spelling; null of one that is not known.</summary>
    internal static string? Known(string? code) => Spelled(code) is { } spelled && Names.TryGetValue(spelled, out var known) ? known : null;

    /// <summary>Whether it may be worth a look at the bank, after a failure of this code.</summary>
    internal static bool MayBeOutage(string? code) => Spelled(code) is { } spelled && OfOutages.Contains(spelled);

    private static FrozenSet<string> Names { get; } = Actions.Keys.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Basiq writes hyphens, and banks' own codes that it hands on have underscores.</summary>
    private static string? Spelled(string? code) => code?.Trim().Replace('_', '-').Replace(' ', '-');
}

/// <summary>What should be done about a job that failed.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NextAction>))]
public enum NextAction
{
    /// <summary>The user connects the bank again: the login or the authorisation was refused, or the connection no longer works.</summary>
    [JsonStringEnumMemberName("reconnect")]
    Reconnect,

    /// <summary>The user clears something at the bank; then refresh the connection.</summary>
    [JsonStringEnumMemberName("act-at-bank")]
    ActAtBank,

    /// <summary>The bank is not available: refresh the connection in ten minutes or so.</summary>
    [JsonStringEnumMemberName("retry-later")]
    RetryLater,

    /// <summary>The bank cannot be reached at all, as Basiq says: nobody visits it until it can, which is told then.</summary>
    [JsonStringEnumMemberName("wait-for-bank")]
    WaitForBank,

    /// <summary>The user left before the bank was connected, and goes on.</summary>
    [JsonStringEnumMemberName("finish-connecting")]
    FinishConnecting,

    /// <summary>None of the above helps; the step's code and detail are what Basiq's support needs.</summary>
    [JsonStringEnumMemberName("contact-support")]
    ContactSupport,
}
