using System.Runtime.CompilerServices;
using System.Text.Json;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.Platform.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data;

/// <summary>Keeps and reads users' snapshots: their accounts and transactions as Basiq sent them.</summary>
/// <remarks>
/// <para>
/// A sync stages its accounts and segments under <c>{userId}/syncs/{syncId}/</c>; nobody reads them there. One conditional write
/// of <c>{userId}/current.json</c> publishes them: readers follow that manifest only. Which blobs may be removed follows from
/// three rules.
/// </para>
/// <list type="bullet">
/// <item>
/// What the current manifest refers to stays, whichever sync wrote it: an account's older transactions may be those of earlier ones, and so
/// may what changed. What a read of the whole goes on with stays as well (<see cref="HeldReads"/>).
/// </item>
/// <item>
/// The rest goes at once if its sync is settled: it has published, so it stages no more. The manifest lists the settled syncs, in
/// the same write that made them so; a crash between that write and the clean-up is made good by the next publication, removal or
/// <see cref="RemoveLeftoversAsync"/>.
/// </item>
/// <item>
/// The rest of a sync that never published goes when it has written nothing for <see cref="SnapshotOptions.LeftoverGrace"/>: no
/// running sync pauses so long.
/// </item>
/// </list>
/// <para>
/// <c>accounts.json</c> is the mark of a sync that may go on. Whoever ends a sync from outside (discarding it, removing its user,
/// clearing it away as abandoned) deletes that blob first and looks for the others afterwards; the sync's own writes look for it
/// after they became visible, and take themselves back when it is gone. So whichever comes first, nothing stays behind.
/// </para>
/// </remarks>
public sealed class SnapshotStore(
    ISnapshotStorage storage, IOptions<SnapshotOptions> options, IOptions<ChangeOptions> changes, TimeProvider clock, ILogger<SnapshotStore> logger)
{
    private const int FormatVersion = SnapshotManifest.CurrentVersion;
    private const int MaxAttempts = 100;
    private const int ParallelReads = 8;

    /// <summary>Longer than it takes whoever publishes from the write of the manifest to the end.</summary>
    internal static readonly TimeSpan PublishingTime = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a removed connection is remembered at least: far longer than a sync that started before the removal can last. Then it
    /// is for as long as Basiq lists accounts of it, as it may after the connection has been deleted.
    /// </summary>
    private static readonly TimeSpan RemovalMemory = TimeSpan.FromDays(30);

    private readonly BankDays _days = new(options.Value.TimeZone);
    private readonly SegmentReader _segments = new(storage);
    private readonly AccountTrails _trails = new(clock);
    private readonly ChangeFeed _feed = new(storage, new BankDays(options.Value.TimeZone), options, changes, clock, logger);
    private readonly HeldReads _reads = new(storage, clock);

    /// <summary>Stages the accounts that a sync listed, replacing what it staged before. Must come before its segments.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="syncId">The sync.</param>
    /// <param name="accounts">Each one account's JSON (UTF-8) as Basiq sent it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The accounts' ids, in the same order.</returns>
    /// <exception cref="JsonException">
    /// An account is not a JSON object, or its <c>id</c> or <c>connection</c> is missing or no id.
    /// </exception>
    public async Task<IReadOnlyList<StagedAccount>> StageAccountsAsync(
        string userId, string syncId, IEnumerable<ReadOnlyMemory<byte>> accounts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(accounts);
        var name = SnapshotPaths.Accounts(userId, syncId);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var entries = new List<StagedAccountEntry>();
        foreach (var raw in accounts)
        {
            var entry = ReadAccount(raw);
            if (!seen.Add(entry.AccountId))
                throw new JsonException("An account is listed twice.");
            entries.Add(entry);
        }
        var content = ChecksummedJson.Write(new StagedAccounts(FormatVersion, entries), SnapshotJsonContext.Default.StagedAccounts);
        await using var blob = await storage.OpenWriteAsync(name, cancellationToken);
        await blob.WriteAsync(content, cancellationToken);
        await blob.CommitAsync(cancellationToken);
        return [.. entries.Select(e => new StagedAccount(e.AccountId, e.ConnectionId, e.InstitutionId))];
    }

    /// <summary>What of each of these accounts a sync is to fetch.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="syncId">The sync that stages them.</param>
    /// <param name="accounts">Each one account's JSON (UTF-8) as Basiq lists it, with its id.</param>
    /// <param name="rules">How much is fetched anew.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The same number, in the same order.</returns>
    public async Task<IReadOnlyList<AccountFetch>> PlanAsync(
        string userId, string syncId, IReadOnlyList<(string AccountId, ReadOnlyMemory<byte> Raw)> accounts, FetchRules rules, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(accounts);
        ArgumentNullException.ThrowIfNull(rules);
        var damaged = await ListDamagedAsync(userId, cancellationToken);
        var kept = ((await ReadManifestToChangeAsync(userId, cancellationToken))?.Manifest ?? SnapshotManifest.Empty).Accounts
            .Where(account => !damaged.Contains(account.AccountId))
            .ToDictionary(account => account.AccountId, account => account.Transactions, StringComparer.Ordinal);

        // Should this sync fail, or a later one publish before it, the next one fetches the whole in its place.
        if (rules.IsFull)
            await OweWholeAsync(userId, syncId, [.. accounts.Select(account => account.AccountId).Where(kept.ContainsKey)], cancellationToken);
        var planner = Kept;
        return [.. accounts.Select(account => planner.Plan(account.AccountId, kept.GetValueOrDefault(account.AccountId), account.Raw, rules, clock.GetUtcNow()))];
    }

    /// <summary>Notes that something of an account could not be read: its next sync fetches the whole of it, which mends that.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="damage">What was found.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal async Task NoteDamageAsync(string userId, SnapshotCorruptException damage, CancellationToken cancellationToken)
    {
        if (SnapshotPaths.AccountOf(damage.BlobName) is not { } accountId)
            return;
        await storage.TryPutAsync(SnapshotPaths.Damage(userId, accountId), ReadOnlyMemory<byte>.Empty, null, cancellationToken);

        // Of a user who was removed meanwhile nothing stays.
        if (!await storage.ExistsAsync(SnapshotPaths.Manifest(userId), cancellationToken))
            await storage.DeleteAsync(SnapshotPaths.Damage(userId, accountId), CancellationToken.None);
    }

    /// <summary>Notes that the whole of some accounts is to be fetched: whoever publishes it takes the note back, as after damage.</summary>
    private async Task OweWholeAsync(string userId, string syncId, IReadOnlyList<string> accountIds, CancellationToken cancellationToken)
    {
        foreach (var accountId in accountIds)
            await storage.TryPutAsync(SnapshotPaths.Damage(userId, accountId), ReadOnlyMemory<byte>.Empty, null, cancellationToken);
        if (await storage.ExistsAsync(SnapshotPaths.Accounts(userId, syncId), cancellationToken))
            return;
        foreach (var accountId in accountIds)
            await storage.DeleteAsync(SnapshotPaths.Damage(userId, accountId), CancellationToken.None);
        throw new SnapshotDiscardedException(syncId);
    }

    private async Task<IReadOnlySet<string>> ListDamagedAsync(string userId, CancellationToken cancellationToken)
    {
        var prefix = SnapshotPaths.Damages(userId);
        HashSet<string> damaged = new(StringComparer.Ordinal);
        await foreach (var blob in storage.ListAsync(prefix, cancellationToken))
            damaged.Add(blob.Name[prefix.Length..]);
        return damaged;
    }

    /// <summary>Takes back that something of these accounts could not be read.</summary>
    private async Task ClearDamageAsync(string userId, Predicate<string> ofAccount, CancellationToken cancellationToken)
    {
        foreach (var accountId in await ListDamagedAsync(userId, cancellationToken))
        {
            if (ofAccount(accountId))
                await storage.DeleteAsync(SnapshotPaths.Damage(userId, accountId), cancellationToken);
        }
    }

    /// <summary>Opens what is known of the days that are fetched again; null when it cannot be compared with any more, and the whole is to be fetched.</summary>
    internal async Task<KeptOverlap?> OpenOverlapAsync(string userId, string accountId, KeptSpan span, CancellationToken cancellationToken) =>
        await OfBaseAsync<KeptOverlap?>(userId, accountId, span, async kept => await Kept.OpenOverlapAsync(userId, accountId, kept, span.From, cancellationToken), cancellationToken);

    /// <summary>Whether one of these ids is kept and not fetched again; null as <see cref="OpenOverlapAsync"/>.</summary>
    internal Task<bool?> HasAnyKeptAsync(string userId, string accountId, KeptSpan span, IReadOnlySet<ulong> ids, CancellationToken cancellationToken) =>
        OfBaseAsync<bool?>(userId, accountId, span, async kept => await Kept.HasAnyAsync(userId, accountId, kept, span.From, ids, cancellationToken), cancellationToken);

    private KeptTransactions Kept => new(_segments, _days);

    private async Task<T?> OfBaseAsync<T>(
        string userId, string accountId, KeptSpan span, Func<ManifestTransactions, Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            var kept = (await ReadManifestAsync(userId, cancellationToken))?.Manifest.Accounts.FirstOrDefault(a => a.AccountId == accountId)?.Transactions;
            return kept is not null && kept.Identity == span.Base ? await read(kept) : default;
        }
        catch (SnapshotCorruptException e)
        {
            // It is damaged, or another sync has just replaced it: the whole heals the one and passes over the other.
            Log.Damaged(logger, e, userId);
            return default;
        }
    }

    /// <summary>
    /// Starts a segment of an account's transactions. Segments are numbered from 0. Each attempt at one writes a blob of its own, and
    /// a publication says which of them counts: one that comes late, as a duplicate of an attempt thought lost, spoils nothing.
    /// </summary>
    /// <exception cref="SnapshotDiscardedException">The sync has no staged accounts.</exception>
    public async Task<SegmentWriter> BeginSegmentAsync(
        string userId, string syncId, string accountId, int segment, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(segment);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(segment, 999_999);
        var attempt = Guid.NewGuid().ToString("N")[..8];
        var name = SnapshotPaths.Segment(userId, syncId, accountId, segment, attempt);
        var marker = SnapshotPaths.Accounts(userId, syncId);
        if (!await storage.ExistsAsync(marker, cancellationToken))
            throw new SnapshotDiscardedException(syncId);
        var blob = await storage.OpenWriteAsync(name, cancellationToken);
        return new SegmentWriter(storage, blob, name, attempt, syncId, marker, _days);
    }

    /// <summary>The trail of an account up to a segment: what of it has been fetched before.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="syncId">The sync.</param>
    /// <param name="accountId">The account.</param>
    /// <param name="segment">The segment that comes next.</param>
    /// <param name="before">The attempt that wrote the segment before it; null for the first.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="SnapshotDiscardedException">The sync was discarded.</exception>
    /// <exception cref="SnapshotCorruptException">A part of the trail is missing or damaged.</exception>
    public async Task<AccountTrail> ResumeTrailAsync(
        string userId, string syncId, string accountId, int segment, string? before, CancellationToken cancellationToken)
    {
        var trail = new AccountTrail(userId, syncId, accountId, segment, before);
        if (trail.BlobName is { } last && _trails.Take(last) is { } kept)
            return kept;
        var attempt = before;
        for (var part = segment - 1; attempt is not null; part--)
        {
            var name = SnapshotPaths.Trail(userId, syncId, accountId, part, attempt);
            if (await storage.ReadAsync(name, cancellationToken) is not { } blob)
            {
                throw await storage.ExistsAsync(SnapshotPaths.Accounts(userId, syncId), cancellationToken)
                    ? new SnapshotCorruptException(name, "it does not exist")
                    : new SnapshotDiscardedException(syncId);
            }

            attempt = trail.TakeIn(name, blob.Content.Span, isLast: part == segment - 1);
        }

        return trail;
    }

    /// <summary>Gives back a trail to which nothing was added, for the next attempt at the same segment.</summary>
    public void GiveBack(AccountTrail trail) => _trails.Keep(trail);

    /// <summary>Keeps a trail for the segment that comes next.</summary>
    /// <param name="trail">The trail.</param>
    /// <param name="attempt">The attempt that wrote the segment up to which it goes.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="SnapshotDiscardedException">The sync was discarded meanwhile; nothing is left.</exception>
    public async Task KeepTrailAsync(AccountTrail trail, string attempt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(trail);
        var part = trail.EndSegment(attempt);
        await storage.TryPutAsync(trail.BlobName!, part, null, cancellationToken);
        if (!await storage.ExistsAsync(SnapshotPaths.Accounts(trail.UserId, trail.SyncId), cancellationToken))
        {
            await storage.DeleteAsync(trail.BlobName!, CancellationToken.None);
            throw new SnapshotDiscardedException(trail.SyncId);
        }

        _trails.Keep(trail);
    }

    /// <summary>
    /// Makes what a sync staged the user's current snapshot, in one atomic write, then removes what that replaced. Accounts of
    /// the sync's connections replace those connections' accounts; accounts of other connections stay, but for those of a connection
    /// that has ended and was made anew (<see cref="MadeAnew"/>). A connection that a
    /// later-started sync published, or that was removed after this sync started, is left as it is.
    /// </summary>
    /// <exception cref="SnapshotDiscardedException">
    /// The sync was discarded, or its user removed; what it published is taken back.
    /// </exception>
    /// <exception cref="SnapshotCorruptException">A segment is missing or damaged; nothing was published.</exception>
    public async Task<PublishResult> PublishAsync(SnapshotPublication publication, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(publication);
        var (userId, syncId) = (publication.UserId, publication.SyncId);
        var marker = SnapshotPaths.Accounts(userId, syncId);
        StagedAccounts? staged = null;
        Dictionary<string, FetchedSegments>? segments = null;
        var missedMarker = false;
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var current = await ReadManifestToChangeAsync(userId, cancellationToken);
            var manifest = current?.Manifest ?? SnapshotManifest.Empty;
            var (taken, outcome) = Decide(manifest, publication);
            if (outcome is { } settled)
            {
                // What is published already may be so by somebody who is still at it.
                await SweepAsync(userId, settled == PublishOutcome.Superseded ? syncId : null, cancellationToken);
                if (settled == PublishOutcome.Superseded)
                    Log.Superseded(logger, userId, syncId);
                return Result(settled, manifest, syncId) with { HasNews = settled is PublishOutcome.AlreadyPublished && HasNewsOf(syncId, manifest) };
            }

            staged ??= await ReadStagedAsync(marker, cancellationToken);
            if (staged is null)
            {
                // The same publication, made twice at once, may have finished and tidied up between the two reads: look at the
                // manifest once more.
                if (missedMarker)
                    throw new SnapshotDiscardedException(syncId);
                missedMarker = true;
                continue;
            }
            var blobs = await ListSyncsAsync(userId, cancellationToken);
            segments ??= await ReadSegmentsAsync(publication, staged, blobs.GetValueOrDefault(syncId), cancellationToken);
            var takenIds = staged.Accounts.Where(a => taken.Contains(a.ConnectionId)).Select(a => a.AccountId).ToHashSet(StringComparer.Ordinal);
            var (kept, outdated) = await CutAsync(manifest, publication, takenIds, segments, cancellationToken);
            if (outdated.Count > 0)
            {
                Log.Outdated(logger, outdated.Count, userId, syncId);
                return new PublishResult(PublishOutcome.Outdated, 0, 0) { Outdated = outdated };
            }

            var merged = Merge(manifest, publication, taken, staged, segments, kept, blobs);
            int linked, ambiguous;
            try
            {
                (merged, linked, ambiguous) = await _feed.AdvanceAsync(userId, syncId, marker, manifest, merged, cancellationToken);
            }
            catch (SnapshotDiscardedException) when (!missedMarker)
            {
                // As above: it may be the same publication that has finished.
                missedMarker = true;
                continue;
            }

            var etag = await WriteManifestAsync(userId, merged, current?.ETag, cancellationToken);
            if (etag is null)
            {
                Log.Conflict(logger, userId, syncId);
                continue;
            }

            // From here on the work is not given up half-way: the manifest is out.
            if (!await storage.ExistsAsync(marker, CancellationToken.None))
            {
                await TakeBackAsync(userId, syncId, current, etag);
                throw new SnapshotDiscardedException(syncId);
            }
            var result = Result(PublishOutcome.Published, merged, syncId) with { Linked = linked, Ambiguous = ambiguous, HasNews = current is null || HasNewsOf(syncId, merged) };
            Log.Published(logger, userId, syncId, result.Accounts, result.Transactions);
            await ClearDamageAsync(userId, id => takenIds.Contains(id) && segments.ContainsKey(id) && !publication.Spans.ContainsKey(id), cancellationToken);
            await SweepAsync(userId, syncId, cancellationToken);
            return result;
        }
        throw new InvalidOperationException($"The snapshot of user '{userId}' changed {MaxAttempts} times while sync '{syncId}' tried to publish.");
    }

    /// <summary>
    /// Removes what a sync staged and did not publish. A sync that goes on gets <see cref="SnapshotDiscardedException"/>.
    /// </summary>
    public async Task DiscardAsync(string userId, string syncId, CancellationToken cancellationToken)
    {
        await storage.DeleteAsync(SnapshotPaths.Accounts(userId, syncId), cancellationToken);
        var manifest = (await ReadManifestAsync(userId, cancellationToken))?.Manifest;
        await RemoveUnreferencedAsync(userId, syncId, await _reads.ListAsync(userId, FeedOf(manifest), cancellationToken), kept: null, cancellationToken);
    }

    /// <summary>Removes what neither the manifest refers to, as it is now, nor any of the names.</summary>
    private async Task RemoveUnreferencedAsync(string userId, string syncId, IReadOnlySet<string> names, string? kept, CancellationToken cancellationToken)
    {
        var referenced = Referenced(userId, (await ReadManifestAsync(userId, cancellationToken))?.Manifest);
        referenced.UnionWith(names);
        var prefix = SnapshotPaths.Sync(userId, syncId);
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

    /// <summary>The user's current snapshot; null before the first one.</summary>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged.</exception>
    public async Task<CurrentSnapshot?> GetCurrentAsync(string userId, CancellationToken cancellationToken)
    {
        var manifest = (await ReadManifestAsync(userId, cancellationToken))?.Manifest;
        if (manifest is not { SyncId: { } syncId, FetchedAt: { } fetchedAt })
            return null;
        var accounts = new SnapshotAccount[manifest.Accounts.Count];
        for (var i = 0; i < accounts.Length; i++)
        {
            var a = manifest.Accounts[i];
            accounts[i] = new SnapshotAccount(
                a.AccountId, a.ConnectionId, a.InstitutionId, a.SyncId, a.FetchedAt, a.Transactions?.Count, a.Raw.Utf8, a.MissingSince,
                a.Transactions?.FullAsOf ?? a.Transactions?.FetchedAt);
        }
        return new CurrentSnapshot(syncId, fetchedAt, accounts);
    }

    /// <summary>The connections whose data was removed and that Basiq may still list.</summary>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged.</exception>
    public async Task<IReadOnlyCollection<string>> ListRemovedConnectionsAsync(string userId, CancellationToken cancellationToken) =>
        [.. ((await ReadManifestAsync(userId, cancellationToken))?.Manifest.RemovedConnections ?? []).Select(removed => removed.ConnectionId)];

    /// <summary>The connections of the snapshot, and when the sync started that fetched each.</summary>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged.</exception>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> ListStartsAsync(string userId, CancellationToken cancellationToken) =>
        ((await ReadManifestAsync(userId, cancellationToken))?.Manifest.Connections ?? []).ToDictionary(c => c.ConnectionId, c => c.StartedAt, StringComparer.Ordinal);

    /// <summary>
    /// Up to when what happened at a connection is in the snapshot, as far as Basiq had it then: what was fetched of its accounts last, or,
    /// for the whole of them, when the whole was last. Null when nothing of it is.
    /// </summary>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged.</exception>
    internal async Task<DateTimeOffset?> FindAsOfAsync(string userId, string connectionId, bool ofWhole, CancellationToken cancellationToken)
    {
        var manifest = (await ReadManifestAsync(userId, cancellationToken))?.Manifest;
        if (manifest?.Connections.FirstOrDefault(c => c.ConnectionId == connectionId) is not { } connection)
            return null;
        var asOf = connection.AsOf ?? connection.StartedAt;
        if (!ofWhole)
            return asOf;
        ManifestTransactions?[] held = [.. manifest.Accounts.Where(a => a.ConnectionId == connectionId).Select(a => a.Transactions)];
        return held.Contains(null) ? null : held.Select(transactions => transactions!.FullAsOf ?? connection.StartedAt).DefaultIfEmpty(asOf).Min();
    }

    /// <summary>
    /// The connections of which accounts are kept, and when those were fetched: null for one of which a sync has staged accounts and
    /// none are published.
    /// </summary>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged.</exception>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset?>> ListConnectionsAsync(string userId, CancellationToken cancellationToken)
    {
        Dictionary<string, DateTimeOffset?> connections = new(StringComparer.Ordinal);
        foreach (var syncId in (await ListSyncsAsync(userId, cancellationToken)).Keys)
        {
            try
            {
                foreach (var account in (await ReadStagedAsync(SnapshotPaths.Accounts(userId, syncId), cancellationToken))?.Accounts ?? [])
                    connections.TryAdd(account.ConnectionId, null);
            }
            catch (SnapshotCorruptException)
            {
                // What cannot be read is not published either.
            }
        }

        // The manifest is read last: a sync that publishes meanwhile is in the one or the other.
        foreach (var connection in ((await ReadManifestAsync(userId, cancellationToken))?.Manifest.Accounts ?? []).GroupBy(a => a.ConnectionId))
            connections[connection.Key] = connection.Max(a => a.FetchedAt);
        return connections;
    }

    /// <summary>Reads transactions of one account of the current snapshot. Only the pages that can match are read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not 1 to 500.</exception>
    /// <exception cref="SnapshotCorruptException">The manifest, an index or a page is damaged or missing.</exception>
    public async Task<TransactionsResult> ReadTransactionsAsync(
        string userId, string accountId, TransactionQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, TransactionQuery.MaxLimit);
        var filter = TransactionFilter.Of(query);
        return await ReadCurrentAsync(
            userId,
            async manifest =>
            {
                var account = manifest.Accounts.FirstOrDefault(a => a.AccountId == accountId);
                if (account is null)
                    return new TransactionsResult.AccountNotFound();
                if (account.Transactions is not { } transactions)
                    return new TransactionsResult.NoSnapshot();
                var start = default(TransactionPosition);
                return query.Cursor is null
                    ? await ReadPageAsync(userId, accountId, transactions, filter, query.Limit, start, cancellationToken)
                    : TransactionCursor.Read(query.Cursor, userId, accountId, filter, transactions, out start) switch
                    {
                        TransactionCursor.Reading.Invalid => new TransactionsResult.InvalidCursor(),
                        TransactionCursor.Reading.Expired => new TransactionsResult.CursorExpired(),
                        _ => await ReadPageAsync(userId, accountId, transactions, filter, query.Limit, start, cancellationToken),
                    };
            },
            cancellationToken);
    }

    /// <summary>
    /// Reads transactions of all accounts of the current snapshot, or of some, in one order: the latest day first, those of a day by id.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not 1 to 500.</exception>
    /// <exception cref="SnapshotCorruptException">The manifest, an index or a page is damaged or missing.</exception>
    public async Task<TransactionsResult> ReadMergedAsync(string userId, MergedQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Transactions.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Transactions.Limit, TransactionQuery.MaxLimit);
        var filter = TransactionFilter.Of(query.Transactions);
        var scope = $"{userId}/{filter.FromDay}/{filter.ToDay}/{filter.Status}/{query.AccountId}/{query.ConnectionId}";
        return await ReadCurrentAsync(
            userId,
            async manifest =>
            {
                var (accounts, missing) = Choose(manifest, query);
                if (missing is not null)
                    return missing;
                var version = VersionOf(accounts);
                MergedPosition? after = null;
                if (query.Transactions.Cursor is { } cursor)
                {
                    switch (MergedCursor.Read(cursor, scope, version, out var position))
                    {
                        case TransactionCursor.Reading.Invalid:
                            return new TransactionsResult.InvalidCursor();
                        case TransactionCursor.Reading.Expired:
                            return new TransactionsResult.CursorExpired();
                        default:
                            after = position;
                            break;
                    }
                }

                var (found, last) = await new MergedTransactions(_segments, _days).ReadAsync(
                    userId, accounts, filter, query.Transactions.Limit, after, cancellationToken);
                return new TransactionsResult.Page(
                    found,
                    last is { } end ? MergedCursor.Write(scope, version, end) : null,
                    accounts.Min(a => a.Transactions!.FullAsOf ?? (DateTimeOffset?)a.Transactions.FetchedAt),
                    version);
            },
            cancellationToken);
    }

    /// <summary>The <see cref="TransactionsResult.Page.Version"/> that a query would get; null when it would get no page.</summary>
    public async Task<string?> FindVersionAsync(string userId, MergedQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return (await ReadManifestAsync(userId, cancellationToken))?.Manifest is { SyncId: not null } manifest && Choose(manifest, query) is (var accounts, null)
            ? VersionOf(accounts)
            : null;
    }

    /// <summary>The accounts that a query is about, or why there are none.</summary>
    internal static (IReadOnlyList<ManifestAccount> Accounts, TransactionsResult? Missing) Choose(SnapshotManifest manifest, MergedQuery query)
    {
        ManifestAccount[] accounts = [.. manifest.Accounts.Where(a => query.ConnectionId is null || a.ConnectionId == query.ConnectionId)];
        if (accounts.Length == 0 && query.ConnectionId is not null)
            return ([], new TransactionsResult.ConnectionNotFound());
        if (query.AccountId is not null)
        {
            accounts = [.. accounts.Where(a => a.AccountId == query.AccountId)];
            if (accounts.Length == 0)
                return ([], new TransactionsResult.AccountNotFound());
        }

        ManifestAccount[] fetched = [.. accounts.Where(a => a.Transactions is not null)];
        return fetched.Length == 0 && accounts.Length > 0 ? ([], new TransactionsResult.NoSnapshot()) : (fetched, null);
    }

    /// <summary>Days are part of it: under another time zone the same question has another answer.</summary>
    internal string VersionOf(IEnumerable<ManifestAccount> accounts) =>
        string.Join('\n', accounts.Select(a => $"{a.AccountId} {a.Transactions!.Identity}").Order(StringComparer.Ordinal).Prepend(_days.TimeZone));

    /// <summary>Reads from the current snapshot, and once more when another one took its place meanwhile.</summary>
    private async Task<TransactionsResult> ReadCurrentAsync(
        string userId, Func<SnapshotManifest, Task<TransactionsResult>> read, CancellationToken cancellationToken)
    {
        var current = await ReadManifestAsync(userId, cancellationToken);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            if (current?.Manifest is not { SyncId: not null } manifest)
                return new TransactionsResult.NoSnapshot();
            try
            {
                return await read(manifest);
            }
            catch (SnapshotCorruptException)
            {
                // Either the segment is damaged, or a publication replaced the snapshot after the manifest was read. The manifest
                // tells which.
                var now = await ReadManifestAsync(userId, cancellationToken);
                if (now?.ETag == current?.ETag)
                    throw;
                current = now;
            }
        }
        return new TransactionsResult.CursorExpired();
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
        string userId, string connectionId, DateTimeOffset? begunAt, CancellationToken cancellationToken)
    {
        if (!RouteId.IsValid(connectionId))
            throw new ArgumentException("Not an id.", nameof(connectionId));
        var removalId = $"removed-{Guid.NewGuid():N}";
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var current = await ReadManifestToChangeAsync(userId, cancellationToken);
            var manifest = current?.Manifest ?? SnapshotManifest.Empty;
            var now = clock.GetUtcNow();

            // A start that has still to come was dated before the clock was set back.
            if (manifest.Connections.Any(c => c.ConnectionId == connectionId && c.StartedAt > begunAt && c.StartedAt <= now))
                return false;
            var had = manifest.Connections.Any(c => c.ConnectionId == connectionId) || manifest.Accounts.Any(a => a.ConnectionId == connectionId);
            var blobs = await ListSyncsAsync(userId, cancellationToken);
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

            var hasWritten = changed.Feed?.Parts.Any(part => part.SyncId == removalId) is true;
            changed = changed with { SettledSyncs = Settled(manifest, hasWritten ? removalId : null, blobs) };
            if (await WriteManifestAsync(userId, changed, current?.ETag, cancellationToken) is null)
                continue;
            Log.ConnectionRemoved(logger, userId, connectionId);
            await ClearDamageAsync(userId, id => changed.Accounts.All(a => a.AccountId != id), cancellationToken);
            await SweepAsync(userId, null, cancellationToken);
            return had;
        }
        throw new InvalidOperationException($"The snapshot of user '{userId}' changed {MaxAttempts} times while connection '{connectionId}' was being removed.");
    }

    /// <summary>
    /// Removes everything of a user: nothing is left of them, not even that they were here. Stop the user's syncs first: an
    /// activity that is still running gets <see cref="SnapshotDiscardedException"/> and takes back what it wrote, but one that
    /// stages accounts anew would start over.
    /// </summary>
    public async Task RemoveUserAsync(string userId, CancellationToken cancellationToken)
    {
        var prefix = SnapshotPaths.User(userId);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            await storage.DeleteByPrefixAsync(prefix, cancellationToken);
            if (!await AnyAsync(prefix, cancellationToken))
            {
                Log.UserRemoved(logger, userId);
                return;
            }
        }
        throw new InvalidOperationException($"User '{userId}' was written to all the while: stop the user's syncs before removing the user.");
    }

    /// <summary>
    /// Removes what no snapshot of the user refers to and no running sync can own, changes that are not kept any more, and reads that nobody
    /// goes on with.
    /// </summary>
    /// <returns>When there may be more to remove; null when there will be nothing.</returns>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged: what it refers to cannot be told.</exception>
    public async Task<DateTimeOffset?> RemoveLeftoversAsync(string userId, CancellationToken cancellationToken)
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

    private async Task DropOldChangesAsync(string userId, CancellationToken cancellationToken)
    {
        // Where somebody publishes meanwhile, that drops them.
        if (await ReadManifestAsync(userId, cancellationToken) is { Manifest.Feed: { } feed } current
            && feed.Keep(clock.GetUtcNow() - _feed.KeepFor) is var kept && kept != feed)
        {
            await WriteManifestAsync(userId, current.Manifest with { Feed = kept }, current.ETag, cancellationToken);
        }
    }

    /// <summary>Everybody of whom anything is stored, be it the rest of a sync: for whoever needs a few, no more is listed than is asked for.</summary>
    internal async IAsyncEnumerable<string> EnumerateUsersAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var page = await ListUsersAsync(null, cancellationToken); ; page = await ListUsersAsync(page.Next, cancellationToken))
        {
            foreach (var userId in page.Names)
                yield return userId;
            if (page.Next is null)
                yield break;
        }
    }

    /// <summary>Some of them, and what to go on with.</summary>
    internal Task<SnapshotFolders> ListUsersAsync(string? next, CancellationToken cancellationToken) => storage.ListFoldersAsync(next, cancellationToken);

    /// <summary>Which connections of the publication are to be taken; or, when there is nothing to do, the outcome.</summary>
    private static (HashSet<string> Taken, PublishOutcome? Outcome) Decide(SnapshotManifest manifest, SnapshotPublication publication)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var published = false;
        foreach (var connectionId in publication.ConnectionIds)
        {
            if (!RouteId.IsValid(connectionId))
                throw new ArgumentException("A connection id is not an id.", nameof(publication));
            if (manifest.RemovedConnections.Any(r => r.ConnectionId == connectionId && r.RemovedAt >= publication.StartedAt))
                continue;
            var holder = manifest.Connections.FirstOrDefault(c => c.ConnectionId == connectionId);
            if (holder is not null && holder.SyncId == publication.SyncId && holder.StartedAt == publication.StartedAt)
                published = true;
            else if (holder is null || (holder.AsOf ?? holder.StartedAt) <= (publication.AsOf ?? publication.StartedAt))
                taken.Add(connectionId);
        }
        if (taken.Count > 0)
            return (taken, null);
        if (published || manifest.SyncId == publication.SyncId)
            return (taken, PublishOutcome.AlreadyPublished);

        // A first sync without connections still shows the user that there are no accounts.
        return (taken, publication.ConnectionIds.Count > 0 || manifest.SyncId is not null ? PublishOutcome.Superseded : null);
    }

    private SnapshotManifest Merge(
        SnapshotManifest manifest,
        SnapshotPublication publication,
        HashSet<string> taken,
        StagedAccounts staged,
        Dictionary<string, FetchedSegments> segments,
        Dictionary<string, IReadOnlyList<SegmentEntry>> kept,
        Dictionary<string, List<SnapshotBlobInfo>> blobs)
    {
        var now = clock.GetUtcNow();
        var asOf = publication.AsOf ?? publication.StartedAt;
        var before = manifest.Accounts.ToDictionary(a => a.AccountId, StringComparer.Ordinal);
        var fresh = new Dictionary<string, ManifestAccount>(StringComparer.Ordinal);
        foreach (var account in staged.Accounts)
        {
            if (!taken.Contains(account.ConnectionId))
                continue;
            var transactions = TransactionsOf(account, before.GetValueOrDefault(account.AccountId)?.Transactions);
            fresh.Add(
                account.AccountId,
                new ManifestAccount(
                    account.AccountId, account.ConnectionId, account.InstitutionId, publication.SyncId, now, transactions, account.Raw));
        }

        // An account that was made anew takes the old one's place as soon as it is whole; until then the old one stands for it.
        var listing = publication.Listing;
        var (replaced, waiting) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        var pairs = MadeAnew.Pairs(FactsOf(manifest.Accounts.Where(HasEnded)), FactsOf(fresh.Values.Where(a => !HasEnded(a))))
            .Concat(manifest.Accounts.Where(IsMissing).GroupBy(a => a.ConnectionId).SelectMany(connection => MadeAnew.Pairs(
                FactsOf(connection),
                FactsOf(fresh.Values.Where(a => a.ConnectionId == connection.Key && !before.ContainsKey(a.AccountId))))));
        foreach (var (old, anew) in pairs.ToArray())
        {
            var isWhole = fresh[anew].Transactions is not null;
            (isWhole ? replaced : waiting).Add(old);
            if (!isWhole)
                fresh.Remove(anew);
        }

        var replacedConnections = manifest.Accounts.Where(a => replaced.Contains(a.AccountId)).Select(a => a.ConnectionId).ToHashSet(StringComparer.Ordinal);
        return new SnapshotManifest
        {
            Version = FormatVersion,
            SyncId = publication.SyncId,
            FetchedAt = now,
            Connections =
            [
                .. manifest.Connections.Where(c => !taken.Contains(c.ConnectionId) && !replacedConnections.Contains(c.ConnectionId)),
                .. taken.Union(replacedConnections).Select(c => new ManifestConnection(c, publication.SyncId, publication.StartedAt, asOf)),
            ],
            Accounts =
            [
                .. manifest.Accounts.Where(Stays).Select(a => IsMissing(a) ? a with { MissingSince = a.MissingSince ?? listing.ReadAt } : a),
                .. fresh.Values,
            ],
            RemovedConnections = [.. manifest.RemovedConnections.Where(IsRemembered)],
            SettledSyncs = Settled(manifest, publication.SyncId, blobs),
        };

        ManifestTransactions? TransactionsOf(StagedAccountEntry account, ManifestTransactions? held)
        {
            if (!segments.TryGetValue(account.AccountId, out var fetched))
                return held;
            var (from, to) = TransactionInterval.Of(account.Raw.Utf8.Span);
            if (!publication.Spans.TryGetValue(account.AccountId, out var span))
                return Of(fetched.Numbered, asOf);

            // Cursors and whoever compares stay good while nothing is new.
            if (span.IsUnchanged && held!.Span().Pending == 0)
                return held with { IntervalFrom = from, IntervalTo = to };
            return Of(
                [
                    .. fetched.Pending is { } pending ? [pending] : Array.Empty<SegmentEntry>(),
                    .. fetched.Numbered.Take(span.Newer),
                    .. kept[account.AccountId],
                    .. fetched.Numbered.Skip(span.Newer),
                ],
                held!.FullAsOf);

            ManifestTransactions Of(IReadOnlyList<SegmentEntry> all, DateTimeOffset? fullAsOf)
            {
                SegmentEntry[] filled = [.. all.Where(segment => segment.Extent.Count > 0)];
                return new ManifestTransactions(publication.SyncId, now, filled.Sum(segment => (long)segment.Extent.Count), filled, fullAsOf, from, to);
            }
        }

        bool HasEnded(ManifestAccount account) => listing.EndedConnections.Contains(account.ConnectionId);

        static IEnumerable<AccountFacts> FactsOf(IEnumerable<ManifestAccount> accounts) =>
            accounts.Select(a => AccountFacts.Of(a.AccountId, a.ConnectionId, a.Raw.Utf8));

        // What a list with odd records lacks may be one of them.
        bool IsMissing(ManifestAccount account) =>
            listing.IsWhole && taken.Contains(account.ConnectionId) && !fresh.ContainsKey(account.AccountId) && !HasEnded(account);

        bool Stays(ManifestAccount account) =>
            waiting.Contains(account.AccountId)
            || (!fresh.ContainsKey(account.AccountId)
                && !replaced.Contains(account.AccountId)
                && (account.MissingSince is null || !listing.GoneAccounts.Contains(account.AccountId)));

        bool IsRemembered(RemovedConnection removed) =>
            !taken.Contains(removed.ConnectionId)
            && (now - removed.RemovedAt < RemovalMemory || !listing.IsWhole || listing.Connections.Count == 0 || listing.Connections.Contains(removed.ConnectionId));
    }

    /// <summary>
    /// What stays of the accounts that were fetched in part, and the accounts of which that cannot be told: what they were compared with is
    /// not what there is any more, as another sync published meanwhile, or is damaged; or a transaction was posted under its id after what is
    /// pending was fetched, and would be there twice.
    /// </summary>
    private async Task<(Dictionary<string, IReadOnlyList<SegmentEntry>> Kept, IReadOnlyList<string> Outdated)> CutAsync(
        SnapshotManifest manifest,
        SnapshotPublication publication,
        IReadOnlySet<string> taken,
        Dictionary<string, FetchedSegments> segments,
        CancellationToken cancellationToken)
    {
        Dictionary<string, IReadOnlyList<SegmentEntry>> kept = new(StringComparer.Ordinal);
        List<string> outdated = [];
        foreach (var (accountId, span) in publication.Spans.Where(span => taken.Contains(span.Key)))
        {
            var held = manifest.Accounts.FirstOrDefault(a => a.AccountId == accountId)?.Transactions;
            try
            {
                if (held is not null && held.Identity == span.Kept.Base
                    && !await IsAnyPendingPostedAsync(publication, accountId, held, segments[accountId], cancellationToken))
                    kept.Add(accountId, await Kept.CutAsync(publication.UserId, accountId, held, span.Kept.From, cancellationToken));
                else
                    outdated.Add(accountId);
            }
            catch (SnapshotCorruptException e)
            {
                Log.Damaged(logger, e, publication.UserId);
                outdated.Add(accountId);
            }
        }

        return (kept, outdated);
    }

    /// <summary>Whether something of what was fetched as pending is there as posted, too.</summary>
    private async Task<bool> IsAnyPendingPostedAsync(
        SnapshotPublication publication, string accountId, ManifestTransactions held, FetchedSegments fetched, CancellationToken cancellationToken)
    {
        if (fetched.Pending is not { } pending)
            return false;
        var ids = (await ReadIdsAsync(pending)).ToHashSet();
        foreach (var segment in fetched.Numbered.Where(segment => segment.Extent.Count > 0))
        {
            if ((await ReadIdsAsync(segment)).Any(ids.Contains))
                return true;
        }

        // What is kept was posted before those days, and was pending before that.
        var from = publication.Spans[accountId].Kept.From;
        return (pending.Extent.Undated > 0 || pending.Extent.MinDay < Extent.ToDay(from))
            && await Kept.HasAnyAsync(publication.UserId, accountId, held, from, ids, cancellationToken);

        async Task<ulong[]> ReadIdsAsync(SegmentEntry entry)
        {
            var name = SnapshotPaths.Segment(publication.UserId, publication.SyncId, accountId, entry.Number!.Value, entry.Attempt);
            return await _segments.ReadIdsAsync(name, await _segments.ReadIndexAsync(name, entry, cancellationToken), cancellationToken);
        }
    }

    /// <summary>The settled syncs that still have blobs. The list stays as short as the number of snapshots in use.</summary>
    private static List<string> Settled(SnapshotManifest manifest, string? publishing, Dictionary<string, List<SnapshotBlobInfo>> blobs)
    {
        var settled = new SortedSet<string>(manifest.SettledSyncs, StringComparer.Ordinal);
        foreach (var account in manifest.Accounts)
        {
            settled.Add(account.SyncId);
            settled.UnionWith(SyncsOf(account.Transactions));
        }
        settled.RemoveWhere(syncId => !blobs.ContainsKey(syncId));
        if (publishing is not null)
            settled.Add(publishing);
        return [.. settled];
    }

    /// <summary>The syncs that wrote an account's transactions.</summary>
    private static IEnumerable<string> SyncsOf(ManifestTransactions? transactions) =>
        transactions is null ? [] : transactions.Segments.Select(segment => segment.SyncId ?? transactions.SyncId).Append(transactions.SyncId);

    private static PublishResult Result(PublishOutcome outcome, SnapshotManifest manifest, string syncId)
    {
        var accounts = 0;
        long transactions = 0;
        foreach (var account in manifest.Accounts)
        {
            if (account.SyncId != syncId)
                continue;
            accounts++;
            if (account.Transactions is { } held && held.SyncId == syncId)
                transactions += held.Count;
        }
        return new PublishResult(outcome, accounts, transactions) { DataAsOf = manifest.FetchedAt };
    }

    /// <summary>Whether a sync changed anything: what it published first of all has no part of its own.</summary>
    private static bool HasNewsOf(string syncId, SnapshotManifest manifest) =>
        manifest.Feed is not { Last: > 0 } feed || feed.Parts.Any(part => part.SyncId == syncId);

    /// <summary>
    /// Undoes a publication whose sync turned out to be discarded: restores what it replaced, which nobody has removed yet; or,
    /// when others have published on top of it, takes its accounts out. Whoever has read its changes meanwhile begins anew.
    /// </summary>
    private async Task TakeBackAsync(string userId, string syncId, ReadManifest? before, string etag)
    {
        Log.TakenBack(logger, userId, syncId);
        var undone = before is null
            ? await storage.TryDeleteAsync(SnapshotPaths.Manifest(userId), etag, CancellationToken.None)
            : await WriteManifestAsync(userId, before.Manifest with { Feed = ManifestFeed.Anew() }, etag, CancellationToken.None) is not null;
        while (!undone)
        {
            var current = await ReadManifestAsync(userId, CancellationToken.None);
            if (current is null)
                return;
            var without = current.Manifest with
            {
                Connections = [.. current.Manifest.Connections.Where(c => c.SyncId != syncId)],
                Accounts = [.. current.Manifest.Accounts.Where(a => a.SyncId != syncId && !SyncsOf(a.Transactions).Contains(syncId))],
                Feed = ManifestFeed.Anew(),
            };
            undone = await WriteManifestAsync(userId, without, current.ETag, CancellationToken.None) is not null;
        }
        await DiscardAsync(userId, syncId, CancellationToken.None);
    }

    private async Task<DateTimeOffset?> SweepAsync(string userId, string? finished, CancellationToken cancellationToken)
    {
        var manifest = (await ReadManifestAsync(userId, cancellationToken))?.Manifest;
        var referenced = Referenced(userId, manifest);
        var reads = await _reads.ListAsync(userId, FeedOf(manifest), cancellationToken);
        referenced.UnionWith(reads);
        var now = clock.GetUtcNow();
        var removed = 0;
        var next = Earliest(reads.NextEnd, manifest?.Feed?.Parts is [var oldest, ..] ? oldest.PublishedAt + _feed.KeepFor : null);
        foreach (var (syncId, blobs) in await ListSyncsAsync(userId, cancellationToken))
        {
            var isSettled = syncId == finished || manifest?.SettledSyncs.Contains(syncId) == true;
            var lastWritten = blobs.Max(b => b.LastModified);
            if (!isSettled && now - lastWritten < options.Value.LeftoverGrace)
            {
                next = Earliest(next, lastWritten + options.Value.LeftoverGrace);
                continue;
            }

            // Whoever has just published looks once more, by the marker, whether the sync was discarded: the marker is theirs to remove.
            var publishedAt = manifest?.Accounts.Where(a => a.SyncId == syncId).Select(a => a.FetchedAt).DefaultIfEmpty(lastWritten).Max();
            var kept = syncId != finished && now - publishedAt < PublishingTime ? SnapshotPaths.Accounts(userId, syncId) : null;
            var garbage = blobs.Count(b => b.Name != kept && !referenced.Contains(b.Name));
            if (garbage == 0)
                continue;
            if (kept is null)
                await storage.DeleteAsync(SnapshotPaths.Accounts(userId, syncId), cancellationToken);
            await RemoveUnreferencedAsync(userId, syncId, referenced, kept, cancellationToken);
            removed += garbage;
        }
        if (removed > 0)
            Log.Removed(logger, userId, removed);
        return next;
    }

    private static DateTimeOffset? Earliest(DateTimeOffset? one, DateTimeOffset? other) => one < other || other is null ? one : other;

    private static ManifestFeed? FeedOf(SnapshotManifest? manifest) => manifest is null ? null : ManifestFeed.Of(manifest);

    /// <summary>The names of the blobs that make up the current snapshot and what changed before it.</summary>
    private static HashSet<string> Referenced(string userId, SnapshotManifest? manifest)
    {
        var referenced = ChangeFeed.Referenced(userId, manifest?.Feed).ToHashSet(StringComparer.Ordinal);
        foreach (var account in manifest?.Accounts ?? [])
        {
            for (var i = 0; i < account.Transactions?.Segments.Count; i++)
                referenced.Add(SnapshotPaths.Segment(userId, account.AccountId, account.Transactions, i));
        }
        return referenced;
    }

    private async Task<Dictionary<string, List<SnapshotBlobInfo>>> ListSyncsAsync(string userId, CancellationToken cancellationToken)
    {
        var prefix = SnapshotPaths.Syncs(userId);
        var syncs = new Dictionary<string, List<SnapshotBlobInfo>>(StringComparer.Ordinal);
        await foreach (var blob in storage.ListAsync(prefix, cancellationToken))
        {
            var end = blob.Name.IndexOf('/', prefix.Length);
            if (end < 0)
                continue;
            var syncId = blob.Name[prefix.Length..end];
            if (!syncs.TryGetValue(syncId, out var blobs))
                syncs.Add(syncId, blobs = []);
            blobs.Add(blob);
        }
        return syncs;
    }

    private async Task<bool> AnyAsync(string prefix, CancellationToken cancellationToken)
    {
        await foreach (var _ in storage.ListAsync(prefix, cancellationToken))
            return true;
        return false;
    }

    /// <summary>The manifest; null when there is none.</summary>
    /// <exception cref="SnapshotCorruptException">It is damaged.</exception>
    internal async Task<ReadManifest?> ReadManifestAsync(string userId, CancellationToken cancellationToken)
    {
        var name = SnapshotPaths.Manifest(userId);
        var blob = await storage.ReadAsync(name, cancellationToken);
        if (blob is null)
            return null;
        var manifest = ChecksummedJson.Read(name, blob.Content.Span, SnapshotJsonContext.Default.SnapshotManifest);
        if (manifest.Version is < SnapshotManifest.OldestVersion or > FormatVersion)
            throw new SnapshotCorruptException(name, $"it has format version {manifest.Version}, and this program knows {SnapshotManifest.OldestVersion} to {FormatVersion}");
        return new ReadManifest(manifest, blob.ETag);
    }

    /// <summary>
    /// The manifest for whoever writes the next one, which mends a damaged one: what that said of other connections cannot be told any
    /// more, and comes back with their next syncs.
    /// </summary>
    private async Task<ReadManifest?> ReadManifestToChangeAsync(string userId, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadManifestAsync(userId, cancellationToken);
        }
        catch (SnapshotCorruptException e)
        {
            Log.Damaged(logger, e, userId);
            return await storage.ReadAsync(SnapshotPaths.Manifest(userId), cancellationToken) is { } damaged
                ? new ReadManifest(SnapshotManifest.Empty, damaged.ETag)
                : null;
        }
    }

    private Task<string?> WriteManifestAsync(string userId, SnapshotManifest manifest, string? etag, CancellationToken cancellationToken) =>
        storage.TryPutAsync(
            SnapshotPaths.Manifest(userId),
            ChecksummedJson.Write(manifest, SnapshotJsonContext.Default.SnapshotManifest),
            etag,
            cancellationToken);

    private async Task<StagedAccounts?> ReadStagedAsync(string name, CancellationToken cancellationToken)
    {
        var blob = await storage.ReadAsync(name, cancellationToken);
        if (blob is null)
            return null;
        var staged = ChecksummedJson.Read(name, blob.Content.Span, SnapshotJsonContext.Default.StagedAccounts);
        return staged.Version is >= SnapshotManifest.OldestVersion and <= FormatVersion ? staged : throw new SnapshotCorruptException(name, "it has another format version");
    }

    private async Task<Dictionary<string, FetchedSegments>> ReadSegmentsAsync(
        SnapshotPublication publication, StagedAccounts staged, List<SnapshotBlobInfo>? blobs, CancellationToken cancellationToken)
    {
        var lengths = (blobs ?? []).ToDictionary(b => b.Name, b => b.Length, StringComparer.Ordinal);
        var result = new Dictionary<string, FetchedSegments>(StringComparer.Ordinal);
        var stagedIds = staged.Accounts.Select(a => a.AccountId).ToHashSet(StringComparer.Ordinal);
        foreach (var (accountId, attempts) in publication.Segments)
        {
            if (!stagedIds.Contains(accountId))
                throw new ArgumentException($"Account '{accountId}' has segments, but sync '{publication.SyncId}' did not stage it.", nameof(publication));
            var entries = new SegmentEntry[attempts.Count];
            await Parallel.ForAsync(
                0,
                attempts.Count,
                new ParallelOptions { MaxDegreeOfParallelism = ParallelReads, CancellationToken = cancellationToken },
                async (i, token) => entries[i] = await ReadAsync(accountId, i, attempts[i], token));
            var pending = publication.Spans.GetValueOrDefault(accountId)?.Pending;
            result.Add(
                accountId,
                new FetchedSegments(entries, pending is null ? null : await ReadAsync(accountId, SnapshotPaths.PendingNumber, pending, cancellationToken)));
        }
        return result;

        async Task<SegmentEntry> ReadAsync(string accountId, int number, string attempt, CancellationToken token)
        {
            var name = SnapshotPaths.Segment(publication.UserId, publication.SyncId, accountId, number, attempt);
            return lengths.TryGetValue(name, out var length)
                ? await _segments.ReadEntryAsync(name, number, attempt, length, token)
                : throw new SnapshotCorruptException(name, "it does not exist");
        }
    }

    private async Task<TransactionsResult.Page> ReadPageAsync(
        string userId,
        string accountId,
        ManifestTransactions transactions,
        TransactionFilter filter,
        int limit,
        TransactionPosition start,
        CancellationToken cancellationToken)
    {
        var found = new List<ReadOnlyMemory<byte>>(Math.Min(limit, 128));
        var ranges = new List<Range>();
        TransactionPosition? next = null;
        for (var s = start.Segment; s < transactions.Segments.Count && next is null; s++)
        {
            var view = new SegmentView(transactions.Segments[s], filter, _days);
            var resumes = s == start.Segment && (start.Page > 0 || start.Index > 0);
            if (!view.MayMatchSegment)
                continue;
            if (found.Count == limit && !resumes && view.MatchesSegment)
            {
                next = new TransactionPosition(s, 0, 0);
                break;
            }
            var name = SnapshotPaths.Segment(userId, accountId, transactions, s);
            var pages = (await _segments.ReadIndexAsync(name, view.Entry, cancellationToken)).Pages;
            for (var p = s == start.Segment ? start.Page : 0; p < pages.Length && next is null; p++)
            {
                var page = pages[p];
                if (!view.MayMatch(page.Extent))
                    continue;
                var first = s == start.Segment && p == start.Page ? start.Index : 0;
                if (found.Count == limit && first == 0 && view.MatchesAll(page.Extent))
                {
                    next = new TransactionPosition(s, p, 0);
                    break;
                }
                using var read = await _segments.ReadPageAsync(name, page, cancellationToken);
                var stoppedAt = Select(read, view, view.MatchesAll(page.Extent), first, limit - found.Count, ranges);
                if (stoppedAt >= 0)
                    next = new TransactionPosition(s, p, stoppedAt);
                CopyOut(read.Bytes, ranges, found);
            }
        }
        return new TransactionsResult.Page(
            found,
            next is { } position ? TransactionCursor.Write(userId, accountId, filter, transactions, position) : null,
            transactions.FullAsOf ?? transactions.FetchedAt,
            $"{_days.TimeZone}\n{accountId} {transactions.Identity}");
    }

    /// <summary>
    /// Collects the ranges of the matching lines from line <paramref name="first"/> on. Returns the number of the line that
    /// matches but is more than
    /// <paramref name="room"/> allows, or -1.
    /// </summary>
    private static int Select(SegmentPage page, in SegmentView view, bool all, int first, int room, List<Range> ranges)
    {
        ranges.Clear();
        var lines = page.Lines();
        for (var line = first; line < lines.Length; line++)
        {
            if (!all && !view.Matches(page.Bytes[lines[line]]))
                continue;
            if (ranges.Count == room)
                return line;
            ranges.Add(lines[line]);
        }
        return -1;
    }

    /// <summary>One array per page of the result, not one per transaction.</summary>
    private static void CopyOut(ReadOnlySpan<byte> page, List<Range> ranges, List<ReadOnlyMemory<byte>> found)
    {
        var total = 0;
        foreach (var range in ranges)
            total += range.End.Value - range.Start.Value;
        var copy = total == 0 ? [] : GC.AllocateUninitializedArray<byte>(total);
        var at = 0;
        foreach (var range in ranges)
        {
            var length = range.End.Value - range.Start.Value;
            page[range].CopyTo(copy.AsSpan(at));
            found.Add(copy.AsMemory(at, length));
            at += length;
        }
    }

    private static StagedAccountEntry ReadAccount(ReadOnlyMemory<byte> raw)
    {
        var reader = new Utf8JsonReader(raw.Span);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("An account must be a JSON object.");
        string? id = null, connection = null, institution = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.ValueTextEquals("id"u8) ? 1 : reader.ValueTextEquals("connection"u8) ? 2 : reader.ValueTextEquals("institution"u8) ? 3 : 0;
            reader.Read();
            var text = field != 0 && reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            switch (field)
            {
                case 1:
                    id = text;
                    break;
                case 2:
                    connection = text;
                    break;
                case 3:
                    institution = text;
                    break;
            }
            reader.Skip();
        }
        reader.Read();
        if (id is null || !RouteId.IsValid(id))
            throw new JsonException("An account's id is missing or not an id.");
        if (connection is null || !RouteId.IsValid(connection))
            throw new JsonException("An account's connection is missing or not an id.");
        return new StagedAccountEntry(id, connection, institution, new RawJson(raw.ToArray()));
    }

    /// <summary>What a sync fetched of an account: numbered segments, and one with what is pending where that was fetched by itself.</summary>
    private sealed record FetchedSegments(IReadOnlyList<SegmentEntry> Numbered, SegmentEntry? Pending);

    internal sealed record ReadManifest(SnapshotManifest Manifest, string ETag);
}
