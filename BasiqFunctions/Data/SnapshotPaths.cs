using System.Buffers;
using System.Globalization;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Data;

/// <summary>Where the blobs of a user lie. Every id passes through here, so every id is checked here.</summary>
internal static class SnapshotPaths
{
    public const string SyncsFolder = "syncs/";
    public const string AccountsBlob = "accounts.json";

    /// <summary>The number of the segment with what is pending, where that is fetched by itself.</summary>
    public const int PendingNumber = 999_999;

    public static string User(UserId userId) => $"{Id(userId)}/";

    /// <summary>Whether a top folder is one of a user's snapshots.</summary>
    public static bool IsOfUser(string folder) => RouteId.IsValid(folder);

    public static string Manifest(UserId userId) => $"{Id(userId)}/current.json";

    public static string Syncs(UserId userId) => $"{Id(userId)}/{SyncsFolder}";

    public static string Run(UserId userId, RunId runId) => $"{Id(userId)}/{SyncsFolder}{Id(runId)}/";

    public static string Accounts(UserId userId, RunId runId) => Run(userId, runId) + AccountsBlob;

    /// <summary>Where it is noted of which accounts something could not be read.</summary>
    public static string Damages(UserId userId) => $"{Id(userId)}/damaged/";

    public static string Damage(UserId userId, AccountId accountId) => Damages(userId) + Id(accountId);

    /// <summary>The account whose transactions a blob holds; null of a blob that holds none.</summary>
    public static AccountId? AccountOf(string blobName) => blobName.Split('/') is [_, "syncs", _, var accountId, _] ? new(accountId) : null;

    public static string Account(UserId userId, RunId runId, AccountId accountId) => $"{Run(userId, runId)}{Id(accountId)}/";

    /// <summary>A segment as one attempt wrote it: no other attempt writes the same blob.</summary>
    public static string Segment(UserId userId, RunId runId, AccountId accountId, int segment, string attempt) =>
        $"{Account(userId, runId, accountId)}{segment:D6}-{Id(attempt)}.pages";

    /// <summary>Where a segment of a snapshot lies: of one that an earlier version wrote, under its number in the list and another name.</summary>
    public static string Segment(UserId userId, AccountId accountId, ManifestTransactions transactions, int index)
    {
        var entry = transactions.Segments[index];
        return entry.Number is { } number
            ? Segment(userId, entry.RunId ?? transactions.RunId, accountId, number, entry.Attempt)
            : $"{Account(userId, transactions.RunId, accountId)}{index:D6}-{Id(entry.Attempt)}.ndjson";
    }

    /// <summary>What later segments have to know of the account up to this one.</summary>
    public static string Trail(UserId userId, RunId runId, AccountId accountId, int segment, string attempt) =>
        $"{Account(userId, runId, accountId)}{segment:D6}-{Id(attempt)}.trail";

    /// <summary>What a sync, or a removal, changed, as one attempt wrote it.</summary>
    public static string Changes(UserId userId, RunId runId, string attempt) => $"{Run(userId, runId)}changes-{Id(attempt)}.pages";

    /// <summary>Where the reports of a user lie: beside the snapshots, since what removes those leaves reports of a later consent.</summary>
    public static string Reports(UserId userId) => $"{Id(userId)}.reports/";

    /// <summary>Where a report lies.</summary>
    public static string Report(UserId userId, ReportId reportId) => $"{Reports(userId)}{Id(reportId)}/";

    /// <summary>Where the reads of the whole are noted that are under way.</summary>
    public static string Reads(UserId userId) => $"{Id(userId)}/reads/";

    public static string Read(UserId userId, string id) => Reads(userId) + Id(id);

    private static string Id(string id) =>
        RouteId.IsValid(id) ? id : throw new ArgumentException("An id has 1 to 64 ASCII letters, digits, '_' and '-'.", nameof(id));
}

/// <summary>
/// Refuses what <see cref="ISnapshotStorage"/> does not allow as a name, so that no implementation can be led out of its own
/// space.
/// </summary>
internal static class SnapshotBlobName
{
    private const int MaxLength = 512;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    public static string Check(string name)
    {
        if (name.Length is 0 or > MaxLength || !AreSegments(name))
            throw new ArgumentException("Not a name of a snapshot blob.", nameof(name));
        return name;
    }

    public static string CheckPrefix(string prefix)
    {
        if (prefix.Length > 0 && (prefix.Length > MaxLength || prefix[^1] != '/' || !AreSegments(prefix.AsSpan(0, prefix.Length - 1))))
            throw new ArgumentException("A prefix of snapshot blobs is a name that ends in '/', or empty.", nameof(prefix));
        return prefix;
    }

    private static bool AreSegments(ReadOnlySpan<char> path)
    {
        foreach (var range in path.Split('/'))
        {
            var segment = path[range];
            if (segment.IsEmpty || segment[0] == '.' || segment.ContainsAnyExcept(Allowed))
                return false;
        }
        return true;
    }
}

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
    public static RunId For(SyncId syncId, DateTime startedAt) =>
        new($"{syncId}-{startedAt.ToString(Format, CultureInfo.InvariantCulture)}");

    /// <summary>The id of the sync that a run is of.</summary>
    public static SyncId SyncIdOf(RunId runId)
    {
        var run = runId.Value;
        var dash = run.LastIndexOf('-');
        var hasTime = dash > 0 && run.Length - dash - 1 is var length && (length == Format.Length || length == LengthOfOld)
            && !run.AsSpan(dash + 1).ContainsAnyExceptInRange('0', '9');
        return new(hasTime ? run[..dash] : run);
    }
}
