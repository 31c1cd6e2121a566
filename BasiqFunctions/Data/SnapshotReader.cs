using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data;

/// <summary>Reads users' snapshots: their accounts and transactions as Basiq sent them.</summary>
public sealed class SnapshotReader(ISnapshotStorage storage, SnapshotManifests manifests, IOptions<SnapshotOptions> options)
{
    private readonly BankDays _days = new(options.Value.TimeZone);
    private readonly SegmentReader _segments = new(storage);

    /// <summary>The user's current snapshot; null before the first one.</summary>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged.</exception>
    public async Task<CurrentSnapshot?> GetCurrentAsync(UserId userId, CancellationToken cancellationToken)
    {
        var manifest = (await manifests.ReadAsync(userId, cancellationToken))?.Manifest;
        if (manifest is not { RunId: { } runId, FetchedAt: { } fetchedAt })
            return null;
        var accounts = new SnapshotAccount[manifest.Accounts.Count];
        for (var i = 0; i < accounts.Length; i++)
        {
            var a = manifest.Accounts[i];
            accounts[i] = new SnapshotAccount(
                a.AccountId, a.ConnectionId, a.InstitutionId, a.RunId, a.FetchedAt, a.Transactions?.Count, a.Raw.Utf8, a.MissingSince,
                a.Transactions?.FullAsOf ?? a.Transactions?.FetchedAt);
        }
        return new CurrentSnapshot(runId, fetchedAt, accounts);
    }

    /// <summary>The connections whose data was removed and that Basiq may still list.</summary>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged.</exception>
    public async Task<IReadOnlyCollection<ConnectionId>> ListRemovedConnectionsAsync(UserId userId, CancellationToken cancellationToken) =>
        [.. ((await manifests.ReadAsync(userId, cancellationToken))?.Manifest.RemovedConnections ?? []).Select(removed => removed.ConnectionId)];

    /// <summary>The connections of the snapshot, and when the sync started that fetched each.</summary>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged.</exception>
    public async Task<IReadOnlyDictionary<ConnectionId, DateTimeOffset>> ListStartsAsync(UserId userId, CancellationToken cancellationToken) =>
        ((await manifests.ReadAsync(userId, cancellationToken))?.Manifest.Connections ?? []).ToDictionary(c => c.ConnectionId, c => c.StartedAt);

    /// <summary>
    /// Up to when what happened at a connection is in the snapshot, as far as Basiq had it then: what was fetched of its accounts last, or,
    /// for the whole of them, when the whole was last; and which sync wrote it last. Null when nothing of it is, or not of each of its accounts.
    /// </summary>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged.</exception>
    internal async Task<(DateTimeOffset AsOf, SyncId SyncId)?> FindAsOfAsync(UserId userId, ConnectionId connectionId, bool ofWhole, CancellationToken cancellationToken)
    {
        var manifest = (await manifests.ReadAsync(userId, cancellationToken))?.Manifest;
        if (manifest?.Connections.FirstOrDefault(c => c.ConnectionId == connectionId) is not { } connection)
            return null;
        if (connection.CoveredUntil is not { } asOf)
            return null;
        var syncId = SnapshotRun.SyncIdOf(connection.RunId);
        if (!ofWhole)
            return (asOf, syncId);
        ManifestTransactions?[] held = [.. manifest.Accounts.Where(a => a.ConnectionId == connectionId).Select(a => a.Transactions)];
        return held.Contains(null)
            ? null
            : (held.Select(transactions => transactions!.FullAsOf ?? connection.StartedAt).DefaultIfEmpty(asOf).Min(), syncId);
    }

    /// <summary>The same of every connection that has a snapshot, and when the latest of them was published.</summary>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged.</exception>
    internal async Task<(DateTimeOffset? PublishedAt, IReadOnlyDictionary<ConnectionId, DateTimeOffset?> Connections)> ListAsOfAsync(UserId userId, CancellationToken cancellationToken)
    {
        var manifest = (await manifests.ReadAsync(userId, cancellationToken))?.Manifest;
        return (manifest?.FetchedAt, (manifest?.Connections ?? []).ToDictionary(c => c.ConnectionId, c => c.CoveredUntil));
    }

    /// <summary>
    /// The connections of which accounts are kept, and when those were fetched: null for one of which a sync has staged accounts and
    /// none are published.
    /// </summary>
    /// <exception cref="SnapshotCorruptException">The manifest is damaged.</exception>
    public async Task<IReadOnlyDictionary<ConnectionId, DateTimeOffset?>> ListConnectionsAsync(UserId userId, CancellationToken cancellationToken)
    {
        Dictionary<ConnectionId, DateTimeOffset?> connections = [];
        foreach (var runId in (await manifests.ListRunsAsync(userId, cancellationToken)).Keys)
        {
            try
            {
                foreach (var account in (await manifests.ReadStagedAsync(userId, runId, cancellationToken))?.Accounts ?? [])
                    connections.TryAdd(account.ConnectionId, null);
            }
            catch (SnapshotCorruptException)
            {
                // What cannot be read is not published either.
            }
        }

        // The manifest is read last: a sync that publishes meanwhile is in the one or the other.
        foreach (var connection in ((await manifests.ReadAsync(userId, cancellationToken))?.Manifest.Accounts ?? []).GroupBy(a => a.ConnectionId))
            connections[connection.Key] = connection.Max(a => a.FetchedAt);
        return connections;
    }

    /// <summary>Reads transactions of one account of the current snapshot. Only the pages that can match are read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not 1 to 500.</exception>
    /// <exception cref="SnapshotCorruptException">The manifest, an index or a page is damaged or missing.</exception>
    public async Task<TransactionsResult> ReadTransactionsAsync(
        UserId userId, AccountId accountId, TransactionQuery query, CancellationToken cancellationToken)
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
    public async Task<TransactionsResult> ReadMergedAsync(UserId userId, MergedQuery query, CancellationToken cancellationToken)
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
                    AccountsOf(manifest, query).Any(a => a.Transactions is null)
                        ? null
                        : accounts.Min(a => a.Transactions!.FullAsOf ?? (DateTimeOffset?)a.Transactions.FetchedAt),
                    version);
            },
            cancellationToken);
    }

    /// <summary>The <see cref="TransactionsResult.Page.Version"/> that a query would get; null when it would get no page.</summary>
    public async Task<string?> FindVersionAsync(UserId userId, MergedQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return (await manifests.ReadAsync(userId, cancellationToken))?.Manifest is { RunId: not null } manifest && Choose(manifest, query) is (var accounts, null)
            ? VersionOf(accounts)
            : null;
    }

    /// <summary>Whether anything is stored of a user, even the rest of a sync.</summary>
    internal async Task<bool> IsAnyAsync(UserId userId, CancellationToken cancellationToken)
    {
        await foreach (var _ in storage.ListAsync(SnapshotPaths.User(userId), cancellationToken))
            return true;
        return false;
    }

    /// <summary>Every user with anything stored, even the rest of a sync. Listed lazily: a caller that needs a few lists a few.</summary>
    internal async IAsyncEnumerable<UserId> EnumerateUsersAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var page = await ListUsersAsync(null, cancellationToken); ; page = await ListUsersAsync(page.Next, cancellationToken))
        {
            foreach (var userId in page.Names)
                yield return new UserId(userId);
            if (page.Next is null)
                yield break;
        }
    }

    /// <summary>Some of them, and what to go on with.</summary>
    internal async Task<SnapshotFolders> ListUsersAsync(string? next, CancellationToken cancellationToken)
    {
        var folders = await storage.ListFoldersAsync(next, cancellationToken);
        return folders with { Names = [.. folders.Names.Where(SnapshotPaths.IsOfUser)] };
    }

    /// <summary>The accounts that a query is about, or why there are none.</summary>
    internal static (IReadOnlyList<ManifestAccount> Accounts, TransactionsResult? Missing) Choose(SnapshotManifest manifest, MergedQuery query)
    {
        if (query.ConnectionId is not null && !manifest.Accounts.Any(a => a.ConnectionId == query.ConnectionId))
            return ([], new TransactionsResult.ConnectionNotFound());
        ManifestAccount[] accounts = [.. AccountsOf(manifest, query)];
        if (accounts.Length == 0 && query.AccountId is not null)
            return ([], new TransactionsResult.AccountNotFound());
        ManifestAccount[] fetched = [.. accounts.Where(a => a.Transactions is not null)];
        return fetched.Length == 0 && accounts.Length > 0 ? ([], new TransactionsResult.NoSnapshot()) : (fetched, null);
    }

    private static IEnumerable<ManifestAccount> AccountsOf(SnapshotManifest manifest, MergedQuery query) => manifest.Accounts.Where(a =>
        (query.ConnectionId is null || a.ConnectionId == query.ConnectionId) && (query.AccountId is null || a.AccountId == query.AccountId));

    /// <summary>Days are part of it: under another time zone the same question has another answer.</summary>
    internal string VersionOf(IEnumerable<ManifestAccount> accounts) =>
        string.Join('\n', accounts.Select(a => $"{a.AccountId} {a.Transactions!.Identity}").Order(StringComparer.Ordinal).Prepend(_days.TimeZone));

    /// <summary>Reads from the current snapshot, and once more when another one took its place meanwhile.</summary>
    private async Task<TransactionsResult> ReadCurrentAsync(
        UserId userId, Func<SnapshotManifest, Task<TransactionsResult>> read, CancellationToken cancellationToken)
    {
        var current = await manifests.ReadAsync(userId, cancellationToken);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            if (current?.Manifest is not { RunId: not null } manifest)
                return new TransactionsResult.NoSnapshot();
            try
            {
                return await read(manifest);
            }
            catch (SnapshotCorruptException)
            {
                // Either the segment is damaged, or a publication replaced the snapshot after the manifest was read. The manifest
                // tells which.
                var now = await manifests.ReadAsync(userId, cancellationToken);
                if (now?.ETag == current?.ETag)
                    throw;
                current = now;
            }
        }
        return new TransactionsResult.CursorExpired();
    }

    private async Task<TransactionsResult.Page> ReadPageAsync(
        UserId userId,
        AccountId accountId,
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
}
