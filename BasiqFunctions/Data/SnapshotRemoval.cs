using BasiqFunctions.Data.Changes;
using BasiqFunctions.Platform.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data;

/// <summary>Removes what is stored of users, by the rules of <see cref="SnapshotManifests"/>.</summary>
public sealed class SnapshotRemoval(
    ISnapshotStorage storage,
    SnapshotManifests manifests,
    DamagedAccounts damage,
    IOptions<SnapshotOptions> options,
    IOptions<ChangeOptions> changes,
    TimeProvider clock,
    ILogger<SnapshotRemoval> logger)
{
    /// <summary>Longer than a publication takes after it has written the manifest.</summary>
    internal static readonly TimeSpan PublishingTime = TimeSpan.FromMinutes(1);

    private const int MaxAttempts = 100;

    private readonly ChangeFeed _feed = new(storage, options, changes, clock, logger);
    private readonly HeldReads _reads = new(storage, clock);

    /// <summary>
    /// Removes what a sync staged and did not publish. A sync that goes on gets <see cref="SnapshotDiscardedException"/>.
    /// </summary>
    public async Task DiscardAsync(UserId userId, RunId runId, CancellationToken cancellationToken)
    {
        await storage.DeleteAsync(SnapshotPaths.Accounts(userId, runId), cancellationToken);
        var manifest = (await manifests.ReadAsync(userId, cancellationToken))?.Manifest;
        await RemoveUnreferencedAsync(userId, runId, await _reads.ListAsync(userId, FeedOf(manifest), cancellationToken), kept: null, cancellationToken);
    }

    /// <summary>
    /// Removes a connection's accounts and transactions, and keeps syncs that already run from bringing them back.
    /// </summary>
    /// <param name="userId">The user.</param>
    /// <param name="connectionId">The connection.</param>
    /// <param name="begunAt">When the removal began: a connection that a sync fetched which started since then stays. Null to remove any.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Whether the snapshot had the connection.</returns>
    public async Task<bool> RemoveConnectionAsync(
        UserId userId, ConnectionId connectionId, DateTimeOffset? begunAt, CancellationToken cancellationToken)
    {
        if (!RouteId.IsValid(connectionId))
            throw new ArgumentException("Not an id.", nameof(connectionId));
        var removalId = new RunId($"removed-{Guid.NewGuid():N}");
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var current = await manifests.ReadToChangeAsync(userId, cancellationToken);
            var manifest = current?.Manifest ?? SnapshotManifest.Empty;
            var now = clock.GetUtcNow();

            // A start that has still to come was dated before the clock was set back.
            if (manifest.Connections.Any(c => c.ConnectionId == connectionId && c.StartedAt > begunAt && c.StartedAt <= now))
                return false;
            var had = manifest.Connections.Any(c => c.ConnectionId == connectionId) || manifest.Accounts.Any(a => a.ConnectionId == connectionId);
            var blobs = await manifests.ListRunsAsync(userId, cancellationToken);
            var changed = manifest with
            {
                Connections = [.. manifest.Connections.Where(c => c.ConnectionId != connectionId)],
                Accounts = [.. manifest.Accounts.Where(a => a.ConnectionId != connectionId)],
                RemovedConnections =
                [
                    .. manifest.RemovedConnections.Where(r => r.ConnectionId != connectionId),
                    new RemovedConnection(connectionId, now),
                ],
            };
            try
            {
                (changed, _, _) = await _feed.AdvanceAsync(userId, removalId, SnapshotPaths.Manifest(userId), manifest, changed, cancellationToken);
            }
            catch (SnapshotDiscardedException)
            {
                continue;
            }

            var hasWritten = changed.Feed?.Parts.Any(part => part.RunId == removalId) is true;
            changed = changed with { SettledRuns = SnapshotPublisher.Settled(manifest, hasWritten ? removalId : null, blobs) };
            if (await manifests.WriteAsync(userId, changed, current?.ETag, cancellationToken) is null)
                continue;
            Log.ConnectionRemoved(logger, userId, connectionId);
            await damage.ClearAsync(userId, id => changed.Accounts.All(a => a.AccountId != id), cancellationToken);
            await SweepAsync(userId, null, cancellationToken);
            return had;
        }
        throw new InvalidOperationException($"The snapshot of user '{userId}' changed {MaxAttempts} times while connection '{connectionId}' was being removed.");
    }

    /// <summary>
    /// Removes everything that is stored of a user when it is called: nothing is left of them, not even that they were here. Stop the user's
    /// syncs first: an activity that is still running gets <see cref="SnapshotDiscardedException"/> and takes back what it wrote, but one that
    /// stages accounts anew starts over.
    /// </summary>
    /// <returns>False when somebody wrote meanwhile. Find out who, before removing that as well.</returns>
    public async Task<bool> RemoveUserAsync(UserId userId, CancellationToken cancellationToken)
    {
        var prefix = SnapshotPaths.User(userId);
        await storage.DeleteByPrefixAsync(prefix, cancellationToken);
        await foreach (var _ in storage.ListAsync(prefix, cancellationToken))
            return false;
        Log.UserRemoved(logger, userId);
        return true;
    }

    /// <summary>
    /// Removes what no snapshot of the user refers to and no running sync can own, changes that are not kept any more, and reads that nobody
    /// goes on with.
    /// </summary>
    /// <returns>When there may be more to remove; null when there will be nothing.</returns>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged: what it refers to cannot be told.</exception>
    public async Task<DateTimeOffset?> RemoveLeftoversAsync(UserId userId, CancellationToken cancellationToken)
    {
        try
        {
            await DropOldChangesAsync(userId, cancellationToken);
            return await SweepAsync(userId, null, cancellationToken);
        }
        catch (SnapshotCorruptException e)
        {
            Log.Damaged(logger, e, userId);
            throw;
        }
    }

    private async Task DropOldChangesAsync(UserId userId, CancellationToken cancellationToken)
    {
        // Where somebody publishes meanwhile, that drops them.
        if (await manifests.ReadAsync(userId, cancellationToken) is { Manifest.Feed: { } feed } current
            && feed.Keep(clock.GetUtcNow() - _feed.KeepFor) is var kept && kept != feed)
        {
            await manifests.WriteAsync(userId, current.Manifest with { Feed = kept }, current.ETag, cancellationToken);
        }
    }

    /// <summary>Removes what nothing refers to and nobody can own; of a run that has finished, its mark as well.</summary>
    /// <returns>When there may be more to remove; null when there will be nothing.</returns>
    internal async Task<DateTimeOffset?> SweepAsync(UserId userId, RunId? finished, CancellationToken cancellationToken)
    {
        var manifest = (await manifests.ReadAsync(userId, cancellationToken))?.Manifest;
        var referenced = SnapshotManifests.Referenced(userId, manifest);
        var reads = await _reads.ListAsync(userId, FeedOf(manifest), cancellationToken);
        referenced.UnionWith(reads);
        var now = clock.GetUtcNow();
        var removed = 0;
        var next = Earliest(reads.NextEnd, manifest?.Feed?.Parts is [var oldest, ..] ? oldest.PublishedAt + _feed.KeepFor : null);
        foreach (var (runId, blobs) in await manifests.ListRunsAsync(userId, cancellationToken))
        {
            var isSettled = runId == finished || manifest?.SettledRuns.Contains(runId) == true;
            var lastWritten = blobs.Max(b => b.LastModified);
            if (!isSettled && now - lastWritten < options.Value.LeftoverGrace)
            {
                next = Earliest(next, lastWritten + options.Value.LeftoverGrace);
                continue;
            }

            // Whoever has just published looks once more, by the marker, whether the sync was discarded: the marker is theirs to remove.
            var publishedAt = manifest?.Accounts.Where(a => a.RunId == runId).Select(a => a.FetchedAt).DefaultIfEmpty(lastWritten).Max();
            var kept = runId != finished && now - publishedAt < PublishingTime ? SnapshotPaths.Accounts(userId, runId) : null;
            var garbage = blobs.Count(b => b.Name != kept && !referenced.Contains(b.Name));
            if (garbage == 0)
                continue;
            if (kept is null)
                await storage.DeleteAsync(SnapshotPaths.Accounts(userId, runId), cancellationToken);
            await RemoveUnreferencedAsync(userId, runId, referenced, kept, cancellationToken);
            removed += garbage;
        }
        if (removed > 0)
            Log.Removed(logger, userId, removed);
        return next;
    }

    /// <summary>Removes what neither the manifest refers to, as it is now, nor any of the names.</summary>
    private async Task RemoveUnreferencedAsync(UserId userId, RunId runId, IReadOnlySet<string> names, string? kept, CancellationToken cancellationToken)
    {
        var referenced = SnapshotManifests.Referenced(userId, (await manifests.ReadAsync(userId, cancellationToken))?.Manifest);
        referenced.UnionWith(names);
        var prefix = SnapshotPaths.Run(userId, runId);
        if (kept is null && !referenced.Any(name => name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            await storage.DeleteByPrefixAsync(prefix, cancellationToken);
            return;
        }
        await foreach (var blob in storage.ListAsync(prefix, cancellationToken))
        {
            if (blob.Name != kept && !referenced.Contains(blob.Name))
                await storage.DeleteAsync(blob.Name, cancellationToken);
        }
    }

    private static ManifestFeed? FeedOf(SnapshotManifest? manifest) => manifest is null ? null : ManifestFeed.Of(manifest);

    private static DateTimeOffset? Earliest(DateTimeOffset? one, DateTimeOffset? other) => one < other || other is null ? one : other;
}
