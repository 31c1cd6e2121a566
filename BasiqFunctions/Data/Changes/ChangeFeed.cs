using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data.Changes;

/// <summary>Writes the feed: what a manifest that is about to replace another one changes.</summary>
/// <remarks>
/// <para>
/// A part's blob is written before the manifest that names it, and lies with the sync that published it: what no manifest names is swept as
/// segments are. An attempt that loses its race leaves it there, and the next one compares anew.
/// </para>
/// <para>
/// Once nothing is left of a connection, its parts keep the ids that they removed and lose everything else. Whoever has read up to some part
/// before then learns of every id that it may hold: from those, and from the part that ends the connection.
/// </para>
/// <para>
/// What cannot be compared, since it is damaged, is not guessed at: the feed begins anew under another id, and so do its readers.
/// </para>
/// </remarks>
internal sealed class ChangeFeed(
    ISnapshotStorage storage, IOptions<SnapshotOptions> snapshots, IOptions<ChangeOptions> options, TimeProvider clock, ILogger logger)
{
    private readonly SegmentReader _reader = new(storage);

    /// <summary>How long parts are kept.</summary>
    public TimeSpan KeepFor => options.Value.KeepFor < snapshots.Value.MaxAge ? options.Value.KeepFor : snapshots.Value.MaxAge;

    /// <summary>The same manifest with the feed that leads to it, and how many pending transactions were posted in it.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="runId">The run of the sync that publishes it, or of the removal.</param>
    /// <param name="marker">The blob without which nothing more is to be written.</param>
    /// <param name="before">The manifest that it replaces.</param>
    /// <param name="after">The manifest.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="SnapshotDiscardedException">The marker is gone.</exception>
    public async Task<(SnapshotManifest Manifest, int Linked, int Ambiguous)> AdvanceAsync(
        UserId userId, RunId runId, string marker, SnapshotManifest before, SnapshotManifest after, CancellationToken cancellationToken)
    {
        if (before.RunId is null)
            return (after with { Feed = null }, 0, 0);
        var now = clock.GetUtcNow();
        var feed = ManifestFeed.Of(before).Keep(now - KeepFor);
        var write = new Writing(this, userId, runId, marker, now, feed.Last);
        try
        {
            var held = before.Accounts.ToDictionary(account => (account.ConnectionId, account.AccountId));
            var stays = after.Accounts.Select(account => (account.ConnectionId, account.AccountId)).ToHashSet();
            var connections = after.Accounts.Select(account => account.ConnectionId).ToHashSet();
            var gone = before.Accounts.Where(account => !stays.Contains((account.ConnectionId, account.AccountId))).ToLookup(account => account.ConnectionId);

            // What leaves comes first: an account that has moved to another connection is gone, and then there.
            List<FeedPart> parts = [];
            foreach (var part in feed.Parts)
            {
                if (!part.HasBodies || connections.Contains(part.ConnectionId))
                    parts.Add(part);
                else if (await write.WithoutBodiesAsync(part, cancellationToken) is { } ids)
                    parts.Add(ids);
            }

            foreach (var connection in gone.OrderBy(connection => connection.Key.Value, StringComparer.Ordinal))
                parts.Add(await write.GoneAsync(connection.Key, connection, isEnd: !connections.Contains(connection.Key), cancellationToken));
            foreach (var connection in after.Accounts.GroupBy(account => account.ConnectionId).OrderBy(connection => connection.Key.Value, StringComparer.Ordinal))
            {
                if (await write.ChangedAsync(connection.Key, connection, held, cancellationToken) is { } part)
                    parts.Add(part);
            }

            return (after with { Feed = feed with { Last = write.Last, Parts = parts } }, write.Linked, write.Ambiguous);
        }
        catch (SnapshotCorruptException e)
        {
            Log.BegunAnew(logger, e, userId);
            return (after with { Feed = ManifestFeed.Anew() }, 0, 0);
        }
    }

    /// <summary>The names of the blobs that a feed refers to.</summary>
    public static IEnumerable<string> Referenced(UserId userId, ManifestFeed? feed) => (feed?.Parts ?? []).SelectMany(part =>
        (part.Added ?? []).SelectMany(account => account.Names(userId))
            .Concat(part.Lines.Select(lines => SnapshotPaths.Changes(userId, part.RunId, lines.Attempt))));

    private static bool IsSame(ManifestTransactions? one, ManifestTransactions? other) =>
        ReferenceEquals(one, other) || (one is not null && other is not null && one.Identity == other.Identity);

    /// <summary>Segments that stand for all that is in them can be counted without being read.</summary>
    private static bool CanBeReferredTo(ManifestTransactions transactions) => transactions.Segments.All(segment => segment.Before == 0);

    /// <summary>What goes into one manifest.</summary>
    private sealed class Writing(ChangeFeed feed, UserId userId, RunId runId, string marker, DateTimeOffset now, long last)
    {
        /// <summary>The number of the last part.</summary>
        public long Last { get; private set; } = last;

        public int Linked { get; private set; }

        public int Ambiguous { get; private set; }

        /// <summary>What stays of a part when its connection goes: the ids that it removed. Null when there are none.</summary>
        public async Task<FeedPart?> WithoutBodiesAsync(FeedPart part, CancellationToken cancellationToken)
        {
            if (part.Lines.All(lines => lines.Removals == 0))
                return null;
            await using var writer = await OpenAsync(cancellationToken);
            foreach (var lines in part.Lines)
            {
                var name = SnapshotPaths.Changes(userId, part.RunId, lines.Attempt);
                var left = lines.Removals;
                foreach (var entry in left == 0 ? [] : (await feed._reader.ReadIndexAsync(name, lines.Entry, cancellationToken)).Pages)
                {
                    if (left == 0)
                        break;
                    using var page = await feed._reader.ReadPageAsync(name, entry, cancellationToken);
                    foreach (var line in page.Lines().Take(left))
                    {
                        writer.AddLine(page.Bytes[line]);
                        left--;
                    }

                    await writer.FlushAsync(cancellationToken);
                }
            }

            return part with { RunId = runId, Lines = await writer.CompleteAsync(cancellationToken), Added = null };
        }

        public async Task<FeedPart> GoneAsync(ConnectionId connectionId, IEnumerable<ManifestAccount> accounts, bool isEnd, CancellationToken cancellationToken)
        {
            await using var writer = await OpenAsync(cancellationToken);
            foreach (var account in accounts)
            {
                var diff = await CompareAsync(account.AccountId, account.Transactions, null, cancellationToken);
                await diff.WriteRemovalsAsync(writer, cancellationToken);
                writer.AddAccount(ChangeLine.Removed, account.AccountId, default);
            }

            return new FeedPart(++Last, connectionId, now, runId, await writer.CompleteAsync(cancellationToken), Added: null, isEnd);
        }

        /// <summary>What differs of the accounts that a connection has now; null when nothing does.</summary>
        public async Task<FeedPart?> ChangedAsync(
            ConnectionId connectionId, IEnumerable<ManifestAccount> accounts, Dictionary<(ConnectionId ConnectionId, AccountId AccountId), ManifestAccount> held, CancellationToken cancellationToken)
        {
            List<AccountSegments> added = [];
            List<(ManifestAccount Account, bool IsNew)> altered = [];
            List<AccountDiff> diffs = [];
            foreach (var account in accounts)
            {
                var before = held.GetValueOrDefault((connectionId, account.AccountId));
                if (before is null || !before.Raw.Utf8.Span.SequenceEqual(account.Raw.Utf8.Span))
                    altered.Add((account, before is null));
                if (IsSame(before?.Transactions, account.Transactions))
                    continue;
                if (before?.Transactions is null && CanBeReferredTo(account.Transactions!))
                {
                    if (account.Transactions!.Segments.Count > 0)
                        added.Add(new AccountSegments(account.AccountId, connectionId, account.Transactions));
                    continue;
                }

                var diff = await CompareAsync(account.AccountId, before?.Transactions, account.Transactions, cancellationToken);
                (Linked, Ambiguous) = (Linked + diff.Linked, Ambiguous + diff.Ambiguous);
                if (diff.IsAny)
                    diffs.Add(diff);
            }

            if (altered.Count == 0 && diffs.Count == 0)
                return added.Count == 0 ? null : new FeedPart(++Last, connectionId, now, runId, [], added);
            await using var writer = await OpenAsync(cancellationToken);
            foreach (var diff in diffs)
                await diff.WriteRemovalsAsync(writer, cancellationToken);
            writer.EndRemovals();
            foreach (var (account, isNew) in altered)
                writer.AddAccount(isNew ? ChangeLine.Added : ChangeLine.Modified, account.AccountId, account.Raw.Utf8.Span);
            foreach (var diff in diffs)
                await diff.WriteChangesAsync(writer, cancellationToken);
            return new FeedPart(++Last, connectionId, now, runId, await writer.CompleteAsync(cancellationToken), added.Count == 0 ? null : added);
        }

        private Task<AccountDiff> CompareAsync(AccountId accountId, ManifestTransactions? before, ManifestTransactions? after, CancellationToken cancellationToken) =>
            AccountDiff.CompareAsync(feed._reader, feed.Days, userId, accountId, before, after, cancellationToken);

        private Task<PartWriter> OpenAsync(CancellationToken cancellationToken) =>
            PartWriter.OpenAsync(feed.Storage, feed._reader, feed.Days, userId, runId, marker, cancellationToken);
    }

    private ISnapshotStorage Storage => storage;

    private BankDays Days { get; } = new(snapshots.Value.TimeZone);
}
