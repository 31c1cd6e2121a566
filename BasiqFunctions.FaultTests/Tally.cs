using System.Collections.Concurrent;
using BasiqFunctions.Sandbox.Control;

namespace BasiqFunctions.FaultTests;

/// <summary>What was injected, and what went wrong that must not.</summary>
internal sealed class Tally
{
    private readonly ConcurrentDictionary<string, int> _injected = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _violations = [];

    public IReadOnlyCollection<string> Violations => _violations;

    public void Injected(string fault) => _injected.AddOrUpdate(fault, 1, static (_, count) => count + 1);

    public int Of(string fault) => _injected.GetValueOrDefault(fault);

    public void Violated(string rule) => _violations.Enqueue(rule);
}

/// <summary>Names of the faults, as the table shows them.</summary>
internal static class Fault
{
    public const string Latency = "latency of 50 to 400 ms";
    public const string Overload = "429 with `Retry-After: 1`";
    public const string ServerError = "500";
    public const string Truncated = "JSON cut in half, the answer ends cleanly";
    public const string Broken = "connection reset in the middle of the answer";
    public const string ResetBefore = "connection reset before the request was handled";
    public const string ResetAfter = "connection reset after the request was handled";
    public const string Revoked = "server token revoked in mid-sync";
    public const string Refused = "401, or 403 `Token has expired`, for a revoked token";
    public const string Vault = "Key Vault outage, 1 to 4 s";
    public const string Storage = "storage outage, 0.5 to 1.5 s";
    public const string Kill = "LocalHost SIGKILL";
    public const string KillInOutage = "LocalHost SIGKILL within a storage outage";
    public const string ClockJump = "clock set to another day or year, and back after 1.5 to 3 s";
    public const string FullDisk = "disk full, 0.5 to 1.5 s";
    public const string DamagedJournal = "bit flipped in the journal of a stopped LocalHost";
    public const string DamagedRecords = "bit flipped in the records of a stopped LocalHost";
    public const string DamagedSnapshot = "bit flipped in a file of a snapshot";
    public const string KeyRefused = "API key refused during a daily pass";

    /// <summary>What is answered oddly, by the sandbox's own kinds, and the share of the requests that it concerns.</summary>
    public static IReadOnlyDictionary<string, (string Kind, double Share)> Odd { get; } = new Dictionary<string, (string, double)>
    {
        ["404 at the token: the key is refused"] = (OddAnswers.TokenRefused, 0.04),
        ["403 `Invalid request` at the token"] = (OddAnswers.TokenOverloaded, 0.04),
        ["503"] = (OddAnswers.Unavailable, 0.005),
        ["HTML with 200"] = (OddAnswers.HtmlSuccess, 0.01),
        ["HTML with 403, of a gateway"] = (OddAnswers.HtmlForbidden, 0.01),
        ["403 without a body, of a gateway"] = (OddAnswers.BareForbidden, 0.005),
        ["HTML with 404, of a gateway"] = (OddAnswers.HtmlNotFound, 0.01),
        ["byte order mark before the JSON"] = (OddAnswers.ByteOrderMark, 0.03),
        ["page that shifted: a transaction on two pages"] = (OddAnswers.ShiftedPage, 0.05),
        ["page whose next page is itself"] = (OddAnswers.EndlessPages, 0.004),
        ["404 for a job that is there"] = (OddAnswers.LostJob, 0.08),
        ["step without a status"] = (OddAnswers.StepWithoutStatus, 0.03),
        ["malformed job in the list"] = (OddAnswers.MalformedJobs, 0.1),
        ["account listed twice"] = (OddAnswers.AccountTwice, 0.1),
        ["malformed account in the list"] = (OddAnswers.MalformedAccount, 0.05),
    };

    public static IReadOnlyList<string> All { get; } =
    [
        Latency, Overload, ServerError, Truncated, Broken, ResetBefore, ResetAfter, .. Odd.Keys, Revoked, Refused, KeyRefused,
        Vault, Storage, Kill, KillInOutage, ClockJump, FullDisk, DamagedJournal, DamagedRecords, DamagedSnapshot,
    ];
}
