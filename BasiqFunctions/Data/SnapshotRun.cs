using System.Globalization;

namespace BasiqFunctions.Data;

/// <summary>
/// What the snapshot store knows a sync by: its id, and when it started. A sync whose history was purged may be started once more
/// under its id; what it stages then lies apart from what its first run published.
/// </summary>
internal static class SnapshotRun
{
    private const string Format = "yyyyMMddHHmmssfff";

    /// <summary>What an earlier version wrote: to the second.</summary>
    private const int LengthOfOld = 14;

    /// <summary>The run of a sync that started at this time (UTC).</summary>
    public static string For(string syncId, DateTime startedAt) =>
        $"{syncId}-{startedAt.ToString(Format, CultureInfo.InvariantCulture)}";

    /// <summary>The id of the sync that a run is of.</summary>
    public static string SyncIdOf(string run) =>
        run.LastIndexOf('-') is > 0 and var dash && (run.Length - dash - 1 == Format.Length || run.Length - dash - 1 == LengthOfOld)
        && run.AsSpan(dash + 1).ContainsAnyExceptInRange('0', '9') is false
            ? run[..dash]
            : run;
}
