using BasiqFunctions.Data.Changes;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Data;

/// <summary>
/// Users' manifests, and what lies beside them. Everything about a snapshot that changes, changes in one conditional write of its manifest.
/// </summary>
/// <remarks>
/// <para>
/// A sync stages its accounts and segments under <c>{userId}/syncs/{run}/</c>; nobody reads them there. One conditional write
/// of <c>{userId}/current.json</c> publishes them: readers follow that manifest only. Which blobs may be removed follows from
/// three rules.
/// </para>
/// <list type="bullet">
/// <item>
/// What the current manifest refers to stays, whichever run wrote it: an account's older transactions may be those of earlier ones, and so
/// may what changed. What a read of the whole goes on with stays as well (<see cref="HeldReads"/>).
/// </item>
/// <item>
/// The rest goes at once if its run is settled: it has published, so it stages no more. The manifest lists the settled runs, in
/// the same write that made them so; a crash between that write and the clean-up is made good by the next publication, removal or
/// <see cref="SnapshotRemoval.RemoveLeftoversAsync"/>.
/// </item>
/// <item>
/// The rest of a run that never published goes when it has written nothing for <see cref="SnapshotOptions.LeftoverGrace"/>: no
/// running sync pauses so long.
/// </item>
/// </list>
/// <para>
/// <c>accounts.json</c> is the mark of a run that may go on. Whoever ends a run from outside (discarding it, removing its user,
/// clearing it away as abandoned) deletes that blob first and looks for the others afterwards; the run's own writes look for it
/// after they became visible, and take themselves back when it is gone. So whichever comes first, nothing stays behind. A tombstone in the
/// manifest could not do this: of a user who was removed no manifest is left to hold one, and a run that then writes the first manifest anew cannot
/// tell that from a user who never had one.
/// </para>
/// </remarks>
public sealed class SnapshotManifests(ISnapshotStorage storage, ILogger<SnapshotManifests> logger) : IDisposable
{
    /// <summary>The bytes of manifests that are held.</summary>
    private const long MostHeld = 16 * 1024 * 1024;

    private static readonly TimeSpan HeldFor = TimeSpan.FromMinutes(5);

    // Each request reads one, and that of a long history is large. The storage says each time whether one that is held is still the one:
    // then it is neither sent nor parsed again.
    private readonly MemoryCache _held = new(new MemoryCacheOptions { SizeLimit = MostHeld });

    /// <inheritdoc/>
    public void Dispose() => _held.Dispose();

    /// <summary>The manifest; null when there is none.</summary>
    /// <exception cref="SnapshotCorruptException">It is damaged.</exception>
    /// <exception cref="SnapshotFromLaterVersionException">A later version of this app wrote it.</exception>
    internal async Task<ReadManifest?> ReadAsync(UserId userId, CancellationToken cancellationToken)
    {
        var name = SnapshotPaths.Manifest(userId);
        var held = _held.Get<ReadManifest>(name);
        var blob = await (held is null ? storage.ReadAsync(name, cancellationToken) : storage.ReadUnlessAsync(name, held.ETag, cancellationToken));
        if (blob is null)
        {
            _held.Remove(name);
            return null;
        }

        if (blob.ETag == held?.ETag)
            return held;
        var manifest = ChecksummedJson.Read(name, blob.Content.Span, SnapshotJsonContext.Default.SnapshotManifest);
        Check(name, manifest.Version);
        return _held.Set(
            name, new ReadManifest(manifest, blob.ETag), new MemoryCacheEntryOptions { Size = blob.Content.Length, SlidingExpiration = HeldFor });
    }

    /// <summary>
    /// The manifest as the base of the next one, which repairs a damaged one: what it said of other connections is lost
    /// until their next syncs.
    /// </summary>
    internal async Task<ReadManifest?> ReadToChangeAsync(UserId userId, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(userId, cancellationToken);
        }
        catch (SnapshotCorruptException e) when (e is not SnapshotFromLaterVersionException)
        {
            Log.Damaged(logger, e, userId);
            return await storage.ReadAsync(SnapshotPaths.Manifest(userId), cancellationToken) is { } damaged
                ? new ReadManifest(SnapshotManifest.Empty, damaged.ETag)
                : null;
        }
    }

    /// <summary>Writes the manifest, if it is still the one that was read. Returns its new etag; null when it is another.</summary>
    internal Task<string?> WriteAsync(UserId userId, SnapshotManifest manifest, string? etag, CancellationToken cancellationToken) =>
        storage.TryPutAsync(
            SnapshotPaths.Manifest(userId),
            ChecksummedJson.Write(manifest, SnapshotJsonContext.Default.SnapshotManifest),
            etag,
            cancellationToken);

    /// <summary>The accounts that a run has staged; null when there are none.</summary>
    internal async Task<StagedAccounts?> ReadStagedAsync(UserId userId, RunId runId, CancellationToken cancellationToken)
    {
        var name = SnapshotPaths.Accounts(userId, runId);
        var blob = await storage.ReadAsync(name, cancellationToken);
        if (blob is null)
            return null;
        var staged = ChecksummedJson.Read(name, blob.Content.Span, SnapshotJsonContext.Default.StagedAccounts);
        Check(name, staged.Version);
        return staged;
    }

    private static void Check(string name, int version)
    {
        if (version > SnapshotManifest.CurrentVersion)
            throw new SnapshotFromLaterVersionException(name);
        if (version < SnapshotManifest.OldestVersion)
            throw new SnapshotCorruptException(name, $"it has format version {version}, and this program knows {SnapshotManifest.OldestVersion} to {SnapshotManifest.CurrentVersion}");
    }

    /// <summary>What each run of a user's syncs has stored.</summary>
    internal async Task<Dictionary<RunId, List<SnapshotBlobInfo>>> ListRunsAsync(UserId userId, CancellationToken cancellationToken)
    {
        var prefix = SnapshotPaths.Syncs(userId);
        var runs = new Dictionary<RunId, List<SnapshotBlobInfo>>();
        await foreach (var blob in storage.ListAsync(prefix, cancellationToken))
        {
            var end = blob.Name.IndexOf('/', prefix.Length);
            if (end < 0)
                continue;
            var runId = new RunId(blob.Name[prefix.Length..end]);
            if (!runs.TryGetValue(runId, out var blobs))
                runs.Add(runId, blobs = []);
            blobs.Add(blob);
        }
        return runs;
    }

    /// <summary>The names of the blobs that make up the current snapshot and what changed before it.</summary>
    internal static HashSet<string> Referenced(UserId userId, SnapshotManifest? manifest)
    {
        var referenced = ChangeFeed.Referenced(userId, manifest?.Feed).ToHashSet(StringComparer.Ordinal);
        foreach (var account in manifest?.Accounts ?? [])
        {
            for (var i = 0; i < account.Transactions?.Segments.Count; i++)
                referenced.Add(SnapshotPaths.Segment(userId, account.AccountId, account.Transactions, i));
        }
        return referenced;
    }

    internal sealed record ReadManifest(SnapshotManifest Manifest, string ETag);
}
