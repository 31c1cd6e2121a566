using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data.Changes;

/// <summary>Reads a user's feed, a page at a time: first the whole as it is when somebody begins, then what changed since.</summary>
public sealed class ChangeReader(
    SnapshotManifests manifests, ISnapshotStorage storage, DueWork due, IOptions<SnapshotOptions> snapshots, IOptions<ChangeOptions> options, TimeProvider clock)
{
    /// <summary>How often a snapshot may be replaced while a page is read.</summary>
    private const int MostAttempts = 10;

    /// <summary>Each is a blob: a page that goes over more of them would take too long, and is a short one.</summary>
    private const int MostParts = 64;

    private readonly SnapshotManifests _manifests = manifests;
    private readonly DueWork _due = due;
    private readonly TimeSpan _readFor = options.Value.ReadFor;
    private readonly TimeProvider _clock = clock;
    private readonly SegmentReader _reader = new(storage);
    private readonly HeldReads _reads = new(storage, clock);
    private readonly BankDays _days = new(snapshots.Value.TimeZone);

    /// <summary>Reads a page.</summary>
    /// <exception cref="SnapshotCorruptException">What is to be read from the beginning is damaged.</exception>
    internal async Task<ChangesResult> ReadAsync(UserId userId, ChangeQuery query, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await _manifests.ReadAsync(userId, cancellationToken) is not { Manifest: { RunId: not null, FetchedAt: { } fetchedAt } manifest } current)
                return new ChangesResult.NoSnapshot();
            try
            {
                var reading = new Reading(this, userId, manifest, current.ETag, query);
                if (await (query.After is { } after ? reading.GoOnAsync(after, cancellationToken) : reading.BeginAsync(cancellationToken)) is { } result)
                    return result is ChangesResult.Page page ? page with { DataAsOf = fetchedAt } : result;
            }
            catch (SnapshotCorruptException e)
            {
                // Either it is damaged, or somebody has removed or replaced it meanwhile: the manifest tells which.
                if ((await _manifests.ReadAsync(userId, cancellationToken))?.ETag == current.ETag || attempt == MostAttempts)
                {
                    if (query.After is null)
                        throw;
                    return new ChangesResult.Expired(e);
                }
            }

            if (attempt == MostAttempts)
                throw new InvalidOperationException($"The snapshot of user '{userId}' changed {MostAttempts} times while a page of changes was read.");
        }
    }

    /// <summary>One attempt at a page, by one manifest.</summary>
    private sealed class Reading(ChangeReader reader, UserId userId, SnapshotManifest manifest, string etag, ChangeQuery query)
    {
        private readonly ManifestFeed _feed = ManifestFeed.Of(manifest);
        private readonly ChangePage _page = new(query.Limit, query.AccountId);

        /// <summary>The first page of the whole; null when there is another manifest meanwhile.</summary>
        public async Task<ChangesResult?> BeginAsync(CancellationToken cancellationToken)
        {
            if (query.AccountId is { } accountId && manifest.Accounts.All(account => account.AccountId != accountId))
                return new ChangesResult.AccountNotFound();
            foreach (var account in manifest.Accounts.Where(account => _page.Wants(account.AccountId)))
                _page.Add(account.AccountId, account.Raw.Utf8.Span);
            var read = new HeldRead(
                _feed.Id,
                _feed.Last,
                reader._clock.GetUtcNow() + reader._readFor,
                [.. manifest.Accounts.Where(a => a.Transactions is not null).Select(a => new AccountSegments(a.AccountId, a.ConnectionId, a.Transactions!))]);
            var start = new WholePosition(HeldReads.IdFor(etag), 0, 0, 0, 0);
            if (await ReadWholeAsync(read, start, cancellationToken) is not { } position)
                return PageUpTo(new ChangePosition(_feed.Id, _feed.Last + 1), hasMore: false);
            return await HoldAsync(position.ReadId, read, cancellationToken)
                ? PageUpTo(new ChangePosition(_feed.Id, _feed.Last + 1, Whole: position), hasMore: true)
                : null;
        }

        public async Task<ChangesResult?> GoOnAsync(ChangePosition after, CancellationToken cancellationToken)
        {
            if (after.FeedId != _feed.Id || after.Part < _feed.Oldest || after.Part > _feed.Last + 1)
                return new ChangesResult.Expired();
            if (after.Whole is not { } whole)
                return await ReadPartsAsync(after.Part, after.Line, cancellationToken);
            if (await reader._reads.FindAsync(userId, whole.ReadId, _feed, cancellationToken) is not var (read, noteTag) || read.After + 1 != after.Part)
                return new ChangesResult.Expired();
            if (await ReadWholeAsync(read, whole, cancellationToken) is { } position)
            {
                // Whoever reads on has as long again, give or take half an hour.
                var until = reader._clock.GetUtcNow() + reader._readFor;
                if (until - read.ExpiresAt > reader._readFor / 50)
                    await reader._reads.ProlongAsync(userId, position.ReadId, read with { ExpiresAt = until }, noteTag, cancellationToken);
                return PageUpTo(after with { Whole = position }, hasMore: true);
            }

            return await ReadPartsAsync(after.Part, 0, cancellationToken);
        }

        /// <summary>Sees to it that what is read next stays; false when it may have gone already.</summary>
        private async Task<bool> HoldAsync(string readId, HeldRead read, CancellationToken cancellationToken)
        {
            // Before there is anything to look after.
            await reader._due.SetAsync(userId, cancellationToken, (DueKinds.Leftover, read.ExpiresAt));
            await reader._reads.HoldAsync(userId, readId, read, cancellationToken);
            var now = await reader._manifests.ReadAsync(userId, cancellationToken);
            if (now is null)
                await reader._reads.DropAsync(userId, readId);
            return now?.ETag == etag;
        }

        /// <summary>Reads transactions of the whole. Gives the place of the one that has no room; null after the last.</summary>
        private async Task<WholePosition?> ReadWholeAsync(HeldRead read, WholePosition from, CancellationToken cancellationToken)
        {
            for (var a = from.Account; a < read.Accounts.Count; a++)
            {
                var account = read.Accounts[a];
                if (!_page.Wants(account.AccountId) || _feed.HasEnded(account.ConnectionId, read.After))
                    continue;
                var isFirst = a == from.Account;
                if (await ReadAccountAsync(account, isFirst ? (from.Segment, from.Page, from.Row) : default, cancellationToken) is var (segment, page, row))
                    return new WholePosition(from.ReadId, a, segment, page, row);
            }

            return null;
        }

        private async Task<(int Segment, int Page, int Row)?> ReadAccountAsync(
            AccountSegments account, (int Segment, int Page, int Row) from, CancellationToken cancellationToken)
        {
            for (var s = from.Segment; s < account.Transactions.Segments.Count; s++)
            {
                var view = new SegmentView(account.Transactions.Segments[s], default, reader._days);
                var name = SnapshotPaths.Segment(userId, account.AccountId, account.Transactions, s);
                var pages = (await reader._reader.ReadIndexAsync(name, view.Entry, cancellationToken)).Pages;
                for (var p = s == from.Segment ? from.Page : 0; p < pages.Length; p++)
                {
                    if (!view.MayMatch(pages[p].Extent))
                        continue;
                    if (_page.IsFull)
                        return (s, p, s == from.Segment && p == from.Page ? from.Row : 0);
                    using var page = await reader._reader.ReadPageAsync(name, pages[p], cancellationToken);
                    var stopped = ReadRows(page, account.AccountId, view, view.MatchesAll(pages[p].Extent), s == from.Segment && p == from.Page ? from.Row : 0);
                    if (stopped >= 0)
                        return (s, p, stopped);
                }
            }

            return null;
        }

        /// <summary>Reads what there is room for. Gives the place of the next one; -1 when there is none.</summary>
        private int ReadRows(SegmentPage page, AccountId accountId, in SegmentView view, bool isAll, int from)
        {
            var lines = page.Lines();
            for (var row = from; row < lines.Length; row++)
            {
                var line = page.Bytes[lines[row]];
                if ((!isAll && !view.Matches(line)) || !ChangeLine.TryReadId(line, out var id, out _))
                    continue;
                if (_page.IsFull)
                    return row;
                _page.Add(accountId, id, line);
            }

            return -1;
        }

        private async Task<ChangesResult> ReadPartsAsync(long first, long line, CancellationToken cancellationToken)
        {
            var read = 0;
            foreach (var part in _feed.Parts.Where(part => part.Number >= first))
            {
                if (++read > MostParts)
                    return PageUpTo(new ChangePosition(_feed.Id, part.Number), hasMore: true);
                if (await ReadPartAsync(part, part.Number == first ? line : 0, cancellationToken) is { } stoppedAt)
                    return PageUpTo(new ChangePosition(_feed.Id, part.Number, stoppedAt), hasMore: true);
            }

            return PageUpTo(new ChangePosition(_feed.Id, _feed.Last + 1), hasMore: false);
        }

        /// <summary>Reads a part from a line on. Gives the line that has no room; null after the last.</summary>
        private async Task<long?> ReadPartAsync(FeedPart part, long from, CancellationToken cancellationToken)
        {
            long at = 0;
            foreach (var lines in part.Lines)
            {
                if (from < at + lines.Count
                    && await ReadSegmentAsync(
                        SnapshotPaths.Changes(userId, part.RunId, lines.Attempt), lines.Entry, accountId: null, Math.Max(0, from - at), cancellationToken) is { } stopped)
                    return at + stopped;
                at += lines.Count;
            }

            foreach (var account in part.Added ?? [])
            {
                for (var s = 0; s < account.Transactions.Segments.Count; s++)
                {
                    var entry = account.Transactions.Segments[s];
                    if (from < at + entry.Extent.Count && _page.Wants(account.AccountId)
                        && await ReadSegmentAsync(
                            SnapshotPaths.Segment(userId, account.AccountId, account.Transactions, s), entry, account.AccountId, Math.Max(0, from - at), cancellationToken) is { } stopped)
                        return at + stopped;
                    at += entry.Extent.Count;
                }
            }

            return null;
        }

        /// <summary>Reads a segment, of changes or of an account's transactions, from a line on. Gives the line that has no room; null after the last.</summary>
        private async Task<long?> ReadSegmentAsync(string name, SegmentEntry entry, AccountId? accountId, long from, CancellationToken cancellationToken)
        {
            var view = new SegmentView(entry, default, reader._days);
            long at = 0;
            foreach (var page in (await reader._reader.ReadIndexAsync(name, entry, cancellationToken)).Pages)
            {
                var next = at + page.Extent.Count;
                if (from < next)
                {
                    var first = (int)Math.Max(0, from - at);
                    if (_page.IsFull && accountId is not null)
                        return at + first;
                    using var read = await reader._reader.ReadPageAsync(name, page, cancellationToken);
                    var stopped = accountId is null ? ReadLines(read, first) : ReadRows(read, accountId, view, isAll: true, first);
                    if (stopped >= 0)
                        return at + stopped;
                }

                at = next;
            }

            return null;
        }

        private int ReadLines(SegmentPage page, int from)
        {
            var lines = page.Lines();
            for (var line = from; line < lines.Length; line++)
            {
                if (!_page.TryAdd(page.Bytes[lines[line]]))
                    return line;
            }

            return -1;
        }

        private ChangesResult.Page PageUpTo(ChangePosition next, bool hasMore) => new(_page.Changes, _page.Accounts, next, hasMore, default);
    }
}
