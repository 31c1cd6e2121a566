using System.Text.Json.Serialization;

namespace BasiqFunctions.Snapshots;

/// <summary>
/// <c>{userId}/current.json</c>: a user's current snapshot. Everything about the snapshot that changes, changes in one
/// conditional write of this blob.
/// </summary>
internal sealed record SnapshotManifest
{
    public const int CurrentVersion = 1;

    public required int Version { get; init; }

    /// <summary>
    /// The latest publication; null while nothing has been published and the manifest only remembers removed connections.
    /// </summary>
    public string? SyncId { get; init; }

    public DateTimeOffset? FetchedAt { get; init; }

    /// <summary>
    /// Who published each connection last. Kept for connections without accounts too: an older sync must not bring accounts back.
    /// </summary>
    public required IReadOnlyList<ManifestConnection> Connections { get; init; }

    public required IReadOnlyList<ManifestAccount> Accounts { get; init; }

    public required IReadOnlyList<RemovedConnection> RemovedConnections { get; init; }

    /// <summary>
    /// Syncs that have published and stage no more: what they hold that no account refers to is garbage now, however young.
    /// Written together with the accounts, so that a crash before the clean-up is made good by whoever comes next.
    /// </summary>
    public required IReadOnlyList<string> SettledSyncs { get; init; }

    public static SnapshotManifest Empty { get; } =
        new() { Version = CurrentVersion, Connections = [], Accounts = [], RemovedConnections = [], SettledSyncs = [] };
}

internal sealed record ManifestConnection(string ConnectionId, string SyncId, DateTimeOffset StartedAt);

internal sealed record RemovedConnection(string ConnectionId, DateTimeOffset RemovedAt);

/// <summary>An account as it was last listed; its <see cref="SnapshotAccount.MissingSince"/> is kept with it.</summary>
internal sealed record ManifestAccount(
    string AccountId,
    string ConnectionId,
    string? InstitutionId,
    string SyncId,
    DateTimeOffset FetchedAt,
    ManifestTransactions? Transactions,
    RawJson Raw,
    DateTimeOffset? MissingSince = null);

/// <summary>An account's transactions: segments 0 to n-1 under the account's folder of sync <paramref name="SyncId"/>.</summary>
internal sealed record ManifestTransactions(string SyncId, DateTimeOffset FetchedAt, long Count, IReadOnlyList<SegmentEntry> Segments);

/// <summary>
/// One segment as the manifest knows it: enough to skip it unread, and to find and check its index in one read.
/// </summary>
/// <param name="Attempt">Which of the attempts wrote it.</param>
/// <param name="Extent">What it spans.</param>
/// <param name="Pages">How many pages it has.</param>
/// <param name="Length">The blob's length.</param>
/// <param name="IndexLength">The length of its index.</param>
/// <param name="IndexCrc">The index's checksum.</param>
/// <param name="TimeZone">The time zone by which its days are counted; null where they are taken as they are written.</param>
internal sealed record SegmentEntry(
    string Attempt, Extent Extent, int Pages, long Length, int IndexLength, uint IndexCrc, string? TimeZone = null);

/// <summary>The staged accounts of a sync, <c>accounts.json</c>.</summary>
internal sealed record StagedAccounts(int Version, IReadOnlyList<StagedAccountEntry> Accounts);

internal sealed record StagedAccountEntry(string AccountId, string ConnectionId, string? InstitutionId, RawJson Raw);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(SnapshotManifest))]
[JsonSerializable(typeof(StagedAccounts))]
internal sealed partial class SnapshotJsonContext : JsonSerializerContext;
