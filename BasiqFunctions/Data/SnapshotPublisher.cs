using BasiqFunctions.Data.Changes;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data;

/// <summary>Publishes what a sync has staged as its user's snapshot; see <see cref="SnapshotManifests"/>.</summary>
public sealed class SnapshotPublisher(
    ISnapshotStorage storage,
    SnapshotManifests manifests,
    SnapshotRemoval removal,
    DamagedAccounts damage,
    IOptions<SnapshotOptions> options,
    IOptions<ChangeOptions> changes,
    TimeProvider clock,
    ILogger<SnapshotPublisher> logger)
{
    /// <summary>
    /// How long a removed connection is remembered at least: far longer than a sync that started before the removal can last. Then it
    /// is for as long as Basiq lists accounts of it, as it may after the connection has been deleted.
    /// </summary>
    private static readonly TimeSpan RemovalMemory = TimeSpan.FromDays(30);

    private const int MaxAttempts = 100;
    private const int ParallelReads = 8;

    private readonly SegmentReader _segments = new(storage);
    private readonly KeptTransactions _kept = new(new SegmentReader(storage), new BankDays(options.Value.TimeZone));
    private readonly ChangeFeed _feed = new(storage, options, changes, clock, logger);

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
        var (userId, runId) = (publication.UserId, publication.RunId);
        var marker = SnapshotPaths.Accounts(userId, runId);
        StagedAccounts? staged = null;
        Dictionary<AccountId, FetchedSegments>? segments = null;
        var missedMarker = false;
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var current = await manifests.ReadToChangeAsync(userId, cancellationToken);
            var manifest = current?.Manifest ?? SnapshotManifest.Empty;
            var (taken, outcome) = Decide(manifest, publication, clock.GetUtcNow());
            if (outcome is { } settled)
            {
                // What is published already may be so by somebody who is still at it.
                await removal.SweepAsync(userId, settled == PublishOutcome.Superseded ? runId : null, cancellationToken);
                if (settled == PublishOutcome.Superseded)
                    Log.Superseded(logger, userId, runId);
                return Result(settled, manifest, runId) with { HasNews = settled is PublishOutcome.AlreadyPublished ? MayHaveNewsOf(runId, manifest) : HasPartOf(runId, manifest) };
            }

            staged ??= await manifests.ReadStagedAsync(userId, runId, cancellationToken);
            if (staged is null)
            {
                // The same publication, made twice at once, may have finished and tidied up between the two reads: look at the
                // manifest once more.
                if (missedMarker)
                    throw new SnapshotDiscardedException(runId);
                missedMarker = true;
                continue;
            }
            var blobs = await manifests.ListRunsAsync(userId, cancellationToken);
            segments ??= await ReadSegmentsAsync(publication, staged, blobs.GetValueOrDefault(runId), cancellationToken);
            var takenIds = staged.Accounts.Where(a => taken.Contains(a.ConnectionId)).Select(a => a.AccountId).ToHashSet();
            var (kept, outdated) = await CutAsync(manifest, publication, takenIds, segments, cancellationToken);
            if (outdated.Count > 0)
            {
                Log.Outdated(logger, outdated.Count, userId, runId);
                return new PublishResult(PublishOutcome.Outdated, 0, 0) { Outdated = outdated };
            }

            var merged = Merge(manifest, publication, taken, staged, segments, kept, blobs);
            int linked, ambiguous;
            try
            {
                (merged, linked, ambiguous) = await _feed.AdvanceAsync(userId, runId, marker, manifest, merged, cancellationToken);
            }
            catch (SnapshotDiscardedException) when (!missedMarker)
            {
                // As above: it may be the same publication that has finished.
                missedMarker = true;
                continue;
            }

            var etag = await manifests.WriteAsync(userId, merged, current?.ETag, cancellationToken);
            if (etag is null)
            {
                Log.Conflict(logger, userId, runId);
                continue;
            }

            // From here on the work is not given up half-way: the manifest is out.
            if (!await storage.ExistsAsync(marker, CancellationToken.None))
            {
                await TakeBackAsync(userId, runId, current, etag);
                throw new SnapshotDiscardedException(runId);
            }
            var result = Result(PublishOutcome.Published, merged, runId) with
            {
                Linked = linked,
                Ambiguous = ambiguous,
                HasNews = current is null || merged.Feed?.Id != ManifestFeed.Of(manifest).Id || HasPartOf(runId, merged),
            };
            Log.Published(logger, userId, runId, result.Accounts, result.Transactions);
            await damage.ClearAsync(userId, id => takenIds.Contains(id) && segments.ContainsKey(id) && !publication.Spans.ContainsKey(id), cancellationToken);
            await removal.SweepAsync(userId, runId, cancellationToken);
            return result;
        }
        throw new InvalidOperationException($"The snapshot of user '{userId}' changed {MaxAttempts} times while sync '{runId}' tried to publish.");
    }

    /// <summary>
    /// Which connections of the publication are to be taken; or, when there is nothing to do, the outcome. What is from a time that has still to
    /// come was dated before the clock was set back, and holds up nothing.
    /// </summary>
    private static (HashSet<ConnectionId> Taken, PublishOutcome? Outcome) Decide(SnapshotManifest manifest, SnapshotPublication publication, DateTimeOffset now)
    {
        var taken = new HashSet<ConnectionId>();
        var published = false;
        foreach (var connectionId in publication.ConnectionIds)
        {
            if (!RouteId.IsValid(connectionId))
                throw new ArgumentException("A connection id is not an id.", nameof(publication));
            if (manifest.RemovedConnections.Any(r => r.ConnectionId == connectionId && r.RemovedAt >= publication.StartedAt))
                continue;
            var holder = manifest.Connections.FirstOrDefault(c => c.ConnectionId == connectionId);
            if (holder is not null && holder.RunId == publication.RunId && holder.StartedAt == publication.StartedAt)
                published = true;
            else if (holder is null || (holder.AsOf ?? holder.StartedAt) is var held && (held <= (publication.AsOf ?? publication.StartedAt) || held > now + ClockCheck.Tolerance))
                taken.Add(connectionId);
        }
        if (taken.Count > 0)
            return (taken, null);
        if (published || manifest.RunId == publication.RunId)
            return (taken, PublishOutcome.AlreadyPublished);

        // A first sync without connections still shows the user that there are no accounts.
        return (taken, publication.ConnectionIds.Count > 0 || manifest.RunId is not null ? PublishOutcome.Superseded : null);
    }

    private SnapshotManifest Merge(
        SnapshotManifest manifest,
        SnapshotPublication publication,
        HashSet<ConnectionId> taken,
        StagedAccounts staged,
        Dictionary<AccountId, FetchedSegments> segments,
        Dictionary<AccountId, IReadOnlyList<SegmentEntry>> kept,
        Dictionary<RunId, List<SnapshotBlobInfo>> blobs)
    {
        var now = clock.GetUtcNow();
        var asOf = publication.AsOf ?? publication.StartedAt;
        var before = manifest.Accounts.ToDictionary(a => a.AccountId);
        var fresh = new Dictionary<AccountId, ManifestAccount>();
        foreach (var account in staged.Accounts)
        {
            if (!taken.Contains(account.ConnectionId))
                continue;
            var transactions = TransactionsOf(account, before.GetValueOrDefault(account.AccountId)?.Transactions);
            fresh.Add(
                account.AccountId,
                new ManifestAccount(
                    account.AccountId, account.ConnectionId, account.InstitutionId, publication.RunId, now, transactions, account.Raw));
        }

        // An account that was made anew takes the old one's place as soon as it is whole; until then the old one stands for it.
        var listing = publication.Listing;
        var (replaced, waiting) = (new HashSet<AccountId>(), new HashSet<AccountId>());
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

        var replacedConnections = manifest.Accounts.Where(a => replaced.Contains(a.AccountId)).Select(a => a.ConnectionId).ToHashSet();
        return new SnapshotManifest
        {
            Version = SnapshotManifest.CurrentVersion,
            RunId = publication.RunId,
            FetchedAt = now,
            Connections =
            [
                .. manifest.Connections.Where(c => !taken.Contains(c.ConnectionId) && !replacedConnections.Contains(c.ConnectionId)),
                .. taken.Union(replacedConnections).Select(c => new ManifestConnection(c, publication.RunId, publication.StartedAt, asOf, WholeAsOf(c))),
            ],
            Accounts =
            [
                .. manifest.Accounts.Where(Stays).Select(a => IsMissing(a) ? a with { MissingSince = a.MissingSince ?? listing.ReadAt } : a),
                .. fresh.Values,
            ],
            RemovedConnections = [.. manifest.RemovedConnections.Where(IsRemembered)],
            SettledRuns = Settled(manifest, publication.RunId, blobs),
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
                return new ManifestTransactions(publication.RunId, now, filled.Sum(segment => (long)segment.Extent.Count), filled, fullAsOf, from, to);
            }
        }

        // Null where it is this publication's.
        DateTimeOffset? WholeAsOf(ConnectionId connectionId) =>
            staged.Accounts.Any(account => account.ConnectionId == connectionId && !segments.ContainsKey(account.AccountId))
                ? manifest.Connections.FirstOrDefault(c => c.ConnectionId == connectionId)?.CoveredUntil ?? DateTimeOffset.MinValue
                : null;

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
    private async Task<(Dictionary<AccountId, IReadOnlyList<SegmentEntry>> Kept, IReadOnlyList<AccountId> Outdated)> CutAsync(
        SnapshotManifest manifest,
        SnapshotPublication publication,
        IReadOnlySet<AccountId> taken,
        Dictionary<AccountId, FetchedSegments> segments,
        CancellationToken cancellationToken)
    {
        Dictionary<AccountId, IReadOnlyList<SegmentEntry>> kept = [];
        List<AccountId> outdated = [];
        foreach (var (accountId, span) in publication.Spans.Where(span => taken.Contains(span.Key)))
        {
            var held = manifest.Accounts.FirstOrDefault(a => a.AccountId == accountId)?.Transactions;
            try
            {
                if (held is not null && held.Identity == span.Kept.Base
                    && !await IsAnyPendingPostedAsync(publication, accountId, held, segments[accountId], cancellationToken))
                    kept.Add(accountId, await _kept.CutAsync(publication.UserId, accountId, held, span.Kept.From, cancellationToken));
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
        SnapshotPublication publication, AccountId accountId, ManifestTransactions held, FetchedSegments fetched, CancellationToken cancellationToken)
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
            && await _kept.HasAnyAsync(publication.UserId, accountId, held, from, ids, cancellationToken);

        async Task<ulong[]> ReadIdsAsync(SegmentEntry entry)
        {
            var name = SnapshotPaths.Segment(publication.UserId, publication.RunId, accountId, entry.Number!.Value, entry.Attempt);
            return await _segments.ReadIdsAsync(name, await _segments.ReadIndexAsync(name, entry, cancellationToken), cancellationToken);
        }
    }

    /// <summary>The settled syncs that still have blobs. The list stays as short as the number of snapshots in use.</summary>
    internal static List<RunId> Settled(SnapshotManifest manifest, RunId? publishing, Dictionary<RunId, List<SnapshotBlobInfo>> blobs)
    {
        var settled = new HashSet<RunId>(manifest.SettledRuns);
        foreach (var account in manifest.Accounts)
        {
            settled.Add(account.RunId);
            settled.UnionWith(RunsOf(account.Transactions));
        }
        settled.RemoveWhere(runId => !blobs.ContainsKey(runId));
        if (publishing is not null)
            settled.Add(publishing);
        return [.. settled.OrderBy(run => run.Value, StringComparer.Ordinal)];
    }

    /// <summary>The syncs that wrote an account's transactions.</summary>
    private static IEnumerable<RunId> RunsOf(ManifestTransactions? transactions) =>
        transactions is null ? [] : transactions.Segments.Select(segment => segment.RunId ?? transactions.RunId).Append(transactions.RunId);

    private static PublishResult Result(PublishOutcome outcome, SnapshotManifest manifest, RunId runId)
    {
        var accounts = 0;
        long transactions = 0;
        foreach (var account in manifest.Accounts)
        {
            if (account.RunId != runId)
                continue;
            accounts++;
            transactions += account.Transactions?.Count ?? 0;
        }
        return new PublishResult(outcome, accounts, transactions) { DataAsOf = manifest.FetchedAt };
    }

    /// <summary>Whether the feed tells of what a sync changed. Of what the first of all published, and of a feed begun anew, it has no part.</summary>
    private static bool HasPartOf(RunId runId, SnapshotManifest manifest) => manifest.Feed?.Parts.Any(part => part.RunId == runId) is true;

    /// <summary>Whether a sync that published before, and died upon it, may have changed anything: it may have been the first of all.</summary>
    private static bool MayHaveNewsOf(RunId runId, SnapshotManifest manifest) => manifest.Feed is not { Last: > 0 } || HasPartOf(runId, manifest);

    /// <summary>
    /// Undoes a publication whose sync turned out to be discarded: restores what it replaced, which nobody has removed yet; or,
    /// when others have published on top of it, takes its accounts out. Whoever has read its changes meanwhile begins anew.
    /// </summary>
    private async Task TakeBackAsync(UserId userId, RunId runId, SnapshotManifests.ReadManifest? before, string etag)
    {
        Log.TakenBack(logger, userId, runId);
        var undone = before is null
            ? await storage.TryDeleteAsync(SnapshotPaths.Manifest(userId), etag, CancellationToken.None)
            : await manifests.WriteAsync(userId, before.Manifest with { Feed = ManifestFeed.Anew() }, etag, CancellationToken.None) is not null;
        while (!undone)
        {
            var current = await manifests.ReadAsync(userId, CancellationToken.None);
            if (current is null)
                return;
            var without = current.Manifest with
            {
                Connections = [.. current.Manifest.Connections.Where(c => c.RunId != runId)],
                Accounts = [.. current.Manifest.Accounts.Where(a => a.RunId != runId && !RunsOf(a.Transactions).Contains(runId))],
                Feed = ManifestFeed.Anew(),
            };
            undone = await manifests.WriteAsync(userId, without, current.ETag, CancellationToken.None) is not null;
        }
        await removal.DiscardAsync(userId, runId, CancellationToken.None);
    }

    private async Task<Dictionary<AccountId, FetchedSegments>> ReadSegmentsAsync(
        SnapshotPublication publication, StagedAccounts staged, List<SnapshotBlobInfo>? blobs, CancellationToken cancellationToken)
    {
        var lengths = (blobs ?? []).ToDictionary(b => b.Name, b => b.Length, StringComparer.Ordinal);
        var result = new Dictionary<AccountId, FetchedSegments>();
        var stagedIds = staged.Accounts.Select(a => a.AccountId).ToHashSet();
        foreach (var (accountId, attempts) in publication.Segments)
        {
            if (!stagedIds.Contains(accountId))
                throw new ArgumentException($"Account '{accountId}' has segments, but sync '{publication.RunId}' did not stage it.", nameof(publication));
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

        async Task<SegmentEntry> ReadAsync(AccountId accountId, int number, string attempt, CancellationToken token)
        {
            var name = SnapshotPaths.Segment(publication.UserId, publication.RunId, accountId, number, attempt);
            return lengths.TryGetValue(name, out var length)
                ? await _segments.ReadEntryAsync(name, number, attempt, length, token)
                : throw new SnapshotCorruptException(name, "it does not exist");
        }
    }

    /// <summary>What a sync fetched of an account: numbered segments, and one with what is pending where that was fetched by itself.</summary>
    private sealed record FetchedSegments(IReadOnlyList<SegmentEntry> Numbered, SegmentEntry? Pending);
}
