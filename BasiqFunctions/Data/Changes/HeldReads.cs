using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace BasiqFunctions.Data.Changes;

/// <summary>Notes reads of the whole that are under way, so that what they go on with is not swept.</summary>
/// <remarks>
/// A note is written, and then the manifest read once more: if it is the one that the note is of, then whoever publishes afterwards finds
/// the note when sweeping, since that lists the notes after its own manifest. All reads of one manifest share a note. A note never delays a removal: of a
/// connection that has ended it holds nothing.
/// </remarks>
internal sealed class HeldReads(ISnapshotStorage storage, TimeProvider clock)
{
    /// <summary>The note's name for reads of a manifest.</summary>
    public static string IdFor(string etag) => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(etag)).ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Finds a note; null when there is none that is good for anything.</summary>
    public async Task<(HeldRead Read, string ETag)?> FindAsync(UserId userId, string id, ManifestFeed feed, CancellationToken cancellationToken)
    {
        var name = SnapshotPaths.Read(userId, id);
        if (await storage.ReadAsync(name, cancellationToken) is not { } blob || Parse(name, blob) is not { } read)
            return null;
        return read.IsLive(feed, clock.GetUtcNow()) ? (read, blob.ETag) : null;
    }

    /// <summary>Writes a note, or has one that is there last longer.</summary>
    public async Task HoldAsync(UserId userId, string id, HeldRead read, CancellationToken cancellationToken)
    {
        var name = SnapshotPaths.Read(userId, id);
        var content = ChecksummedJson.Write(read, SnapshotJsonContext.Default.HeldRead);
        while (true)
        {
            var held = await storage.ReadAsync(name, cancellationToken);
            if (held is not null && Parse(name, held)?.ExpiresAt >= read.ExpiresAt)
                return;
            if (await storage.TryPutAsync(name, content, held?.ETag, cancellationToken) is not null)
                return;
        }
    }

    /// <summary>Has a note last longer, unless somebody else did, or it is gone.</summary>
    public Task ProlongAsync(UserId userId, string id, HeldRead read, string etag, CancellationToken cancellationToken) =>
        storage.TryPutAsync(SnapshotPaths.Read(userId, id), ChecksummedJson.Write(read, SnapshotJsonContext.Default.HeldRead), etag, cancellationToken);

    /// <summary>Takes a note back, of a user of whom nothing is left.</summary>
    public Task DropAsync(UserId userId, string id) => storage.DeleteAsync(SnapshotPaths.Read(userId, id), CancellationToken.None);

    /// <summary>The blobs that reads go on with. What is good for nothing any more is removed.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="feed">The feed as the manifest has it now; null where there is none.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<HeldBlobs> ListAsync(UserId userId, ManifestFeed? feed, CancellationToken cancellationToken)
    {
        HeldBlobs blobs = [];
        var now = clock.GetUtcNow();
        await foreach (var note in storage.ListAsync(SnapshotPaths.Reads(userId), cancellationToken))
        {
            if (await storage.ReadAsync(note.Name, cancellationToken) is not { } blob)
                continue;
            if (Parse(note.Name, blob) is not { } read || !read.IsLive(feed, now))
            {
                await storage.TryDeleteAsync(note.Name, blob.ETag, cancellationToken);
                continue;
            }

            if (!(blobs.NextEnd <= read.ExpiresAt))
                blobs.NextEnd = read.ExpiresAt;
            foreach (var account in read.Accounts)
            {
                if (!feed!.HasEnded(account.ConnectionId, read.After))
                    blobs.UnionWith(account.Names(userId));
            }
        }

        return blobs;
    }

    /// <summary>One that is damaged is none: whoever goes by it begins again.</summary>
    private static HeldRead? Parse(string name, SnapshotBlob blob)
    {
        try
        {
            return ChecksummedJson.Read(name, blob.Content.Span, SnapshotJsonContext.Default.HeldRead);
        }
        catch (SnapshotCorruptException)
        {
            return null;
        }
    }
}

/// <summary>Names of blobs, and when the first of the reads ends that they are held for.</summary>
internal sealed class HeldBlobs() : HashSet<string>(StringComparer.Ordinal)
{
    public DateTimeOffset? NextEnd { get; set; }
}
