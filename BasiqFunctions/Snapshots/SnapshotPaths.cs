using BasiqFunctions.Http;

namespace BasiqFunctions.Snapshots;

/// <summary>Where the blobs of a user lie. Every id passes through here, so every id is checked here.</summary>
internal static class SnapshotPaths
{
    public const string SyncsFolder = "syncs/";
    public const string AccountsBlob = "accounts.json";

    public static string User(string userId) => $"{Id(userId)}/";

    public static string Manifest(string userId) => $"{Id(userId)}/current.json";

    public static string Syncs(string userId) => $"{Id(userId)}/{SyncsFolder}";

    public static string Sync(string userId, string syncId) => $"{Id(userId)}/{SyncsFolder}{Id(syncId)}/";

    public static string Accounts(string userId, string syncId) => Sync(userId, syncId) + AccountsBlob;

    public static string Account(string userId, string syncId, string accountId) => $"{Sync(userId, syncId)}{Id(accountId)}/";

    /// <summary>A segment as one attempt wrote it: no other attempt writes the same blob.</summary>
    public static string Segment(string userId, string syncId, string accountId, int segment, string attempt) =>
        $"{Account(userId, syncId, accountId)}{segment:D6}-{Id(attempt)}.ndjson";

    /// <summary>What later segments have to know of the account up to this one.</summary>
    public static string Trail(string userId, string syncId, string accountId, int segment, string attempt) =>
        $"{Account(userId, syncId, accountId)}{segment:D6}-{Id(attempt)}.trail";

    private static string Id(string id) =>
        RouteId.IsValid(id) ? id : throw new ArgumentException("An id has 1 to 64 ASCII letters, digits, '_' and '-'.", nameof(id));
}
