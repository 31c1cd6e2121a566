using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Data.Changes;

/// <summary>
/// What changed in a user's snapshot, part by part: it stands in the manifest, so that the write that publishes a snapshot publishes its
/// changes as well.
/// </summary>
/// <param name="Id">What tells it from other feeds of the same user: cursors of those lead nowhere.</param>
/// <param name="Last">The number of the last part there was; 0 before the first.</param>
/// <param name="Oldest">The number from which on all parts are there, but for what went with a connection.</param>
/// <param name="Parts">In the order in which they came.</param>
internal sealed record ManifestFeed(string Id, long Last, long Oldest, IReadOnlyList<FeedPart> Parts)
{
    /// <summary>A feed that nobody has a cursor of.</summary>
    public static ManifestFeed Anew() => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(sizeof(ulong))), 0, 1, []);

    /// <summary>
    /// The feed of a manifest. One that says nothing of a feed is where it begins: nobody can have read what was before it, so no part
    /// says how it came to be.
    /// </summary>
    public static ManifestFeed Of(SnapshotManifest manifest) => manifest.Feed ?? new ManifestFeed(
        XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{manifest.RunId}/{manifest.FetchedAt?.UtcTicks}")))
            .ToString("x16", CultureInfo.InvariantCulture),
        0,
        1,
        []);

    /// <summary>The feed without the parts that are not kept any more.</summary>
    public ManifestFeed Keep(DateTimeOffset since)
    {
        // Up to the last one that is too old: a clock that went wrong may have dated one before it later.
        var dropped = Parts.Count;
        while (dropped > 0 && Parts[dropped - 1].PublishedAt > since)
            dropped--;
        return dropped == 0 ? this : this with { Oldest = Parts[dropped - 1].Number + 1, Parts = [.. Parts.Skip(dropped)] };
    }

    /// <summary>Whether all of a connection went after a part.</summary>
    public bool HasEnded(ConnectionId connectionId, long after) => Parts.Any(part => part.IsEnd && part.ConnectionId == connectionId && part.Number > after);
}

/// <summary>A part of the feed: what one publication, or a removal, changed of one connection.</summary>
/// <param name="Number">One more than that of the part before it.</param>
/// <param name="ConnectionId">The connection: what the part tells of it goes with it.</param>
/// <param name="PublishedAt">When.</param>
/// <param name="RunId">The run of the sync, or of the removal, under which the blobs lie.</param>
/// <param name="Lines">Removals, then changed accounts, then added and modified transactions.</param>
/// <param name="Added">Accounts of which everything was added after that: read where it lies, which is kept for as long as the part is.</param>
/// <param name="IsEnd">Whether nothing is left of the connection.</param>
internal sealed record FeedPart(
    long Number,
    ConnectionId ConnectionId,
    DateTimeOffset PublishedAt,
    [property: JsonPropertyName("syncId")] RunId RunId,
    IReadOnlyList<FeedLines> Lines,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<AccountSegments>? Added = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool IsEnd = false)
{
    /// <summary>Whether it holds more than ids.</summary>
    [JsonIgnore]
    public bool HasBodies => Added is not null || Lines.Any(lines => lines.Count > lines.Removals);
}

/// <summary>A blob of a part: a segment of <see cref="ChangeLine"/>s.</summary>
/// <param name="Attempt">Which of the attempts to publish wrote it.</param>
/// <param name="Removals">How many of the first lines hold ids alone.</param>
/// <param name="Count">How many there are in all.</param>
/// <param name="Pages">As of a <see cref="SegmentEntry"/>.</param>
/// <param name="Length">The blob's length.</param>
/// <param name="IndexLength">The length of its index.</param>
/// <param name="IndexCrc">The index's checksum.</param>
internal sealed record FeedLines(string Attempt, int Removals, int Count, int Pages, long Length, int IndexLength, uint IndexCrc)
{
    /// <summary>What reads it.</summary>
    [JsonIgnore]
    public SegmentEntry Entry => new(Attempt, new Extent(Count, 0, 0, 0, 0, Count), Pages, Length, IndexLength, IndexCrc);
}

/// <summary>Where the transactions of an account lie.</summary>
internal sealed record AccountSegments(AccountId AccountId, ConnectionId ConnectionId, ManifestTransactions Transactions)
{
    /// <summary>The blobs.</summary>
    public IEnumerable<string> Names(UserId userId) =>
        Enumerable.Range(0, Transactions.Segments.Count).Select(i => SnapshotPaths.Segment(userId, AccountId, Transactions, i));
}

/// <summary>
/// A read of the whole that is under way, <c>{userId}/reads/{id}</c>: the blobs that it goes on with stay, whatever is published
/// meanwhile. One that ends while its connection does.
/// </summary>
/// <param name="FeedId">The feed.</param>
/// <param name="After">The last part that the snapshot had in it.</param>
/// <param name="ExpiresAt">When nobody goes on any more.</param>
/// <param name="Accounts">What is read.</param>
internal sealed record HeldRead(string FeedId, long After, DateTimeOffset ExpiresAt, IReadOnlyList<AccountSegments> Accounts)
{
    /// <summary>Whether it is good for anything.</summary>
    public bool IsLive(ManifestFeed? feed, DateTimeOffset now) => feed is not null && FeedId == feed.Id && After + 1 >= feed.Oldest && ExpiresAt > now;
}
