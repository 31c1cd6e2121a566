using System.Collections.Concurrent;

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
    public const string Refused = "401 for a revoked token";
    public const string Vault = "Key Vault outage, 1 to 4 s";
    public const string Storage = "storage outage, 0.5 to 1.5 s";
    public const string Kill = "LocalHost SIGKILL";
    public const string KillInOutage = "LocalHost SIGKILL within a storage outage";

    public static IReadOnlyList<string> All { get; } =
    [
        Latency, Overload, ServerError, Truncated, Broken, ResetBefore, ResetAfter, Revoked, Refused, Vault, Storage, Kill, KillInOutage,
    ];
}
