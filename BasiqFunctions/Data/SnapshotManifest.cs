using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using BasiqFunctions.Data.Changes;

namespace BasiqFunctions.Data;

/// <summary>
/// <c>{userId}/current.json</c>: a user's current snapshot. Everything about the snapshot that changes, changes in one
/// conditional write of this blob.
/// </summary>
internal sealed record SnapshotManifest
{
    /// <summary>2: an account's transactions may be of several fetches, and pages are compressed.</summary>
    public const int CurrentVersion = 2;

    /// <summary>The earliest that can be read.</summary>
    public const int OldestVersion = 1;

    public required int Version { get; init; }

    /// <summary>
    /// The latest publication; null while nothing has been published and the manifest only remembers removed connections.
    /// </summary>
    [JsonPropertyName("syncId")]
    public RunId? RunId { get; init; }

    public DateTimeOffset? FetchedAt { get; init; }

    /// <summary>
    /// Who published each connection last. Kept for connections without accounts too: an older sync must not bring accounts back.
    /// </summary>
    public required IReadOnlyList<ManifestConnection> Connections { get; init; }

    public required IReadOnlyList<ManifestAccount> Accounts { get; init; }

    public required IReadOnlyList<RemovedConnection> RemovedConnections { get; init; }

    /// <summary>
    /// Runs that have published and stage no more: what they hold that no account refers to is garbage now, however young.
    /// Written together with the accounts, so that the next clean-up makes good for one that crashed.
    /// </summary>
    [JsonPropertyName("settledSyncs")]
    public required IReadOnlyList<RunId> SettledRuns { get; init; }

    /// <summary>What changed until now; null while there is nothing before this to have changed, or an earlier version published it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestFeed? Feed { get; init; }

    public static SnapshotManifest Empty { get; } =
        new() { Version = CurrentVersion, Connections = [], Accounts = [], RemovedConnections = [], SettledRuns = [] };
}

/// <param name="ConnectionId">The connection.</param>
/// <param name="RunId">Who published it.</param>
/// <param name="StartedAt">When that began.</param>
/// <param name="AsOf">When it began to fetch what Basiq had. Null where an earlier version published it.</param>
/// <param name="WholeAsOf">
/// The same of the last that fetched the transactions of each account: what happened before is in the snapshot. Null where that is this one.
/// </param>
internal sealed record ManifestConnection(
    ConnectionId ConnectionId,
    [property: JsonPropertyName("syncId")] RunId RunId,
    DateTimeOffset StartedAt,
    DateTimeOffset? AsOf = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? WholeAsOf = null)
{
    /// <summary>Up to when what happened is in the snapshot, as far as Basiq had it then; null when an account of it was never fetched.</summary>
    [JsonIgnore]
    public DateTimeOffset? CoveredUntil => WholeAsOf == DateTimeOffset.MinValue ? null : WholeAsOf ?? AsOf ?? StartedAt;
}

internal sealed record RemovedConnection(ConnectionId ConnectionId, DateTimeOffset RemovedAt);

/// <summary>An account as it was last listed; its <see cref="SnapshotAccount.MissingSince"/> is kept with it.</summary>
internal sealed record ManifestAccount(
    AccountId AccountId,
    ConnectionId ConnectionId,
    string? InstitutionId,
    [property: JsonPropertyName("syncId")] RunId RunId,
    DateTimeOffset FetchedAt,
    ManifestTransactions? Transactions,
    RawJson Raw,
    DateTimeOffset? MissingSince = null);

/// <summary>An account's transactions: what one sync fetched, and what older ones still stand for.</summary>
/// <param name="RunId">The run that fetched of them last.</param>
/// <param name="FetchedAt">When it published them.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Segments">In the order in which they are read.</param>
/// <param name="FullAsOf">When the whole of them was last fetched. Null where an earlier version did, which always fetched the whole.</param>
/// <param name="IntervalFrom">Where the history began by Basiq's account (<c>transactionIntervals</c>), yyyyMMdd; 0 when it did not say.</param>
/// <param name="IntervalTo">Where it ended.</param>
internal sealed record ManifestTransactions(
    [property: JsonPropertyName("syncId")] RunId RunId,
    DateTimeOffset FetchedAt,
    long Count,
    IReadOnlyList<SegmentEntry> Segments,
    DateTimeOffset? FullAsOf = null,
    int IntervalFrom = 0,
    int IntervalTo = 0)
{
    /// <summary>What tells these transactions from those before and after them.</summary>
    [JsonIgnore]
    public string Identity => string.Create(CultureInfo.InvariantCulture, $"{RunId.Value}/{FetchedAt.UtcTicks}");

    /// <summary>What all of it spans.</summary>
    public Extent Span() => Segments.Aggregate(default(Extent), (all, segment) => all.Add(segment.Extent));
}

/// <summary>
/// One segment as the manifest knows it: enough to skip it unread, and to find and check its index in one read.
/// </summary>
/// <param name="Attempt">Which of the attempts wrote it.</param>
/// <param name="Extent">What it spans, as far as it stands for the account.</param>
/// <param name="Pages">How many pages it has.</param>
/// <param name="Length">The blob's length.</param>
/// <param name="IndexLength">The length of its index.</param>
/// <param name="IndexCrc">The index's checksum.</param>
/// <param name="TimeZone">The time zone by which its days are counted; null where they are taken as they are written.</param>
/// <param name="RunId">The run that wrote it; null where that is the one that fetched last of the transactions.</param>
/// <param name="Number">Its number in that sync; null for one of an earlier version: its place in the list.</param>
/// <param name="Before">It stands only for what was posted before this day (yyyyMMdd, by its time zone); 0 when for all that is in it.</param>
internal sealed record SegmentEntry(
    string Attempt,
    Extent Extent,
    int Pages,
    long Length,
    int IndexLength,
    uint IndexCrc,
    string? TimeZone = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault), JsonPropertyName("syncId")] RunId? RunId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int? Number = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Before = 0);

/// <summary>The staged accounts of a sync, <c>accounts.json</c>.</summary>
internal sealed record StagedAccounts(int Version, IReadOnlyList<StagedAccountEntry> Accounts);

internal sealed record StagedAccountEntry(AccountId AccountId, ConnectionId ConnectionId, string? InstitutionId, RawJson Raw);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(HeldRead))]
[JsonSerializable(typeof(SnapshotManifest))]
[JsonSerializable(typeof(StagedAccounts))]
internal sealed partial class SnapshotJsonContext : JsonSerializerContext;

/// <summary>A JSON value kept byte for byte, so that no field, escape or number changes on its way through the store.</summary>
[JsonConverter(typeof(Converter))]
internal readonly record struct RawJson(ReadOnlyMemory<byte> Utf8)
{
    internal sealed class Converter : JsonConverter<RawJson>
    {
        public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return new RawJson(JsonMarshal.GetRawUtf8Value(document.RootElement).ToArray());
        }

        public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Utf8.Span, skipInputValidation: true);
    }
}
