using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Data;

/// <summary>Where the blobs of a user lie. Every id passes through here, so every id is checked here.</summary>
internal static class SnapshotPaths
{
    public const string SyncsFolder = "syncs/";
    public const string AccountsBlob = "accounts.json";

    /// <summary>The number of the segment with what is pending, where that is fetched by itself.</summary>
    public const int PendingNumber = 999_999;

    public static string User(string userId) => $"{Id(userId)}/";

    public static string Manifest(string userId) => $"{Id(userId)}/current.json";

    public static string Syncs(string userId) => $"{Id(userId)}/{SyncsFolder}";

    public static string Sync(string userId, string syncId) => $"{Id(userId)}/{SyncsFolder}{Id(syncId)}/";

    public static string Accounts(string userId, string syncId) => Sync(userId, syncId) + AccountsBlob;

    /// <summary>Where it is noted of which accounts something could not be read.</summary>
    public static string Damages(string userId) => $"{Id(userId)}/damaged/";

    public static string Damage(string userId, string accountId) => Damages(userId) + Id(accountId);

    /// <summary>The account whose transactions a blob holds; null of a blob that holds none.</summary>
    public static string? AccountOf(string blobName) => blobName.Split('/') is [_, "syncs", _, var accountId, _] ? accountId : null;

    public static string Account(string userId, string syncId, string accountId) => $"{Sync(userId, syncId)}{Id(accountId)}/";

    /// <summary>A segment as one attempt wrote it: no other attempt writes the same blob.</summary>
    public static string Segment(string userId, string syncId, string accountId, int segment, string attempt) =>
        $"{Account(userId, syncId, accountId)}{segment:D6}-{Id(attempt)}.pages";

    /// <summary>Where a segment of a snapshot lies: of one that an earlier version wrote, under its number in the list and another name.</summary>
    public static string Segment(string userId, string accountId, ManifestTransactions transactions, int index)
    {
        var entry = transactions.Segments[index];
        return entry.Number is { } number
            ? Segment(userId, entry.SyncId ?? transactions.SyncId, accountId, number, entry.Attempt)
            : $"{Account(userId, transactions.SyncId, accountId)}{index:D6}-{Id(entry.Attempt)}.ndjson";
    }

    /// <summary>What later segments have to know of the account up to this one.</summary>
    public static string Trail(string userId, string syncId, string accountId, int segment, string attempt) =>
        $"{Account(userId, syncId, accountId)}{segment:D6}-{Id(attempt)}.trail";

    /// <summary>What a sync, or a removal, changed, as one attempt wrote it.</summary>
    public static string Changes(string userId, string syncId, string attempt) => $"{Sync(userId, syncId)}changes-{Id(attempt)}.pages";

    /// <summary>Where the reads of the whole are noted that are under way.</summary>
    public static string Reads(string userId) => $"{Id(userId)}/reads/";

    public static string Read(string userId, string id) => Reads(userId) + Id(id);

    private static string Id(string id) =>
        RouteId.IsValid(id) ? id : throw new ArgumentException("An id has 1 to 64 ASCII letters, digits, '_' and '-'.", nameof(id));
}
