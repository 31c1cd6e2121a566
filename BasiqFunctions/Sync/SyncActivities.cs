using System.Text;
using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Sync;

/// <summary>
/// What a sync does in the world. Each may run again after a crash and then gives the same; what Basiq refuses comes back as a
/// value, and only what is broken on our side is thrown.
/// </summary>
public sealed class SyncActivities(
    IBasiqClient basiq,
    WantedAccounts wanted,
    SnapshotStaging staging,
    SnapshotPublisher publisher,
    SnapshotRemoval storedData,
    IEnumerable<IConsentCheck> consents,
    JobOutlook outlook,
    DueWork due,
    IOptions<SnapshotOptions> options,
    Instruments instruments,
    TimeProvider clock,
    ILogger<SyncActivities> logger)
{
    /// <summary>
    /// No page is begun after this: with the last one's minute, and what storage takes, an activity stays well below the 10 minutes of
    /// <c>functionTimeout</c>, at which a host ends everything that its worker does.
    /// </summary>
    private static readonly TimeSpan LastPageBeginsWithin = TimeSpan.FromMinutes(5);

    /// <summary>Pending transactions last days: nobody has more of them.</summary>
    private const int MostPagesOfPending = 20;

    /// <summary>Reads a job. One that belongs to another user is not found.</summary>
    [Function(nameof(ObserveJob))]
    public Task<Outcome<SyncedJob>> ObserveJob(
        [ActivityTrigger] ObserveJobInput input, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        return AsOutcomeAsync(nameof(ObserveJob), input.UserId, runId: null, async () =>
        {
            var job = await basiq.GetJobAsync(input.JobId, cancellation);
            return job.UserId is { } owner && owner != input.UserId
                ? SyncedJob.Lost(input.JobId, SyncedJob.NotFoundCode)
                : await outlook.OfAsync(client, input.UserId, job, cancellation);
        });
    }

    /// <summary>Lists the user's accounts and stages those of the connections that succeeded.</summary>
    [Function(nameof(StageAccounts))]
    public Task<Outcome<StagedAccounts>> StageAccounts(
        [ActivityTrigger] StageAccountsInput input, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        return AsOutcomeAsync<StagedAccounts>(nameof(StageAccounts), input.UserId, input.RunId, async () =>
        {
            if (await HasConsentEndedAsync(client, input.UserId, cancellation))
                return new Outcome<StagedAccounts>(null, UpstreamFailure.ConsentEnded);
            var list = await wanted.ListAsync(input.UserId, input.ConnectionIds, cancellation);
            await due.SetAsync(input.UserId, cancellation, (DueKinds.Leftover, clock.GetUtcNow() + options.Value.LeftoverGrace));
            var staged = await staging.StageAccountsAsync(input.UserId, input.RunId, list.Accounts, cancellation);
            foreach (var (reason, count) in list.Skipped)
            {
                Log.AccountsSkipped(logger, input.UserId, count, reason);
                instruments.AccountsSkipped(reason, count);
            }

            var plans = await staging.PlanAsync(
                input.UserId, input.RunId, [.. staged.Zip(list.Accounts, (account, raw) => (account.AccountId, raw))], input.Rules, cancellation);
            return new Outcome<StagedAccounts>(new StagedAccounts(plans, list.ConnectionIds, list.Listing, list.Skipped));
        });
    }

    /// <summary>
    /// Fetches some pages of an account's transactions into one segment. When Basiq fails in the middle, or is slow, what came before
    /// is kept, and the outcome says where to go on.
    /// </summary>
    [Function(nameof(FetchTransactions))]
    public Task<Outcome<FetchedSegment>> FetchTransactions(
        [ActivityTrigger] FetchTransactionsInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        return AsOutcomeAsync<FetchedSegment>(nameof(FetchTransactions), input.UserId, input.RunId, async () =>
        {
            var overlap = input.Kept is { } kept && !input.IsOlder
                ? await staging.OpenOverlapAsync(input.UserId, input.AccountId, kept, cancellation)
                : null;
            if (input is { Kept: not null, IsOlder: false } && overlap is null)
                return new Outcome<FetchedSegment>(new FetchedSegment("", 0, null, MustBeWhole: true));
            await using var segment = await staging.BeginSegmentAsync(
                input.UserId, input.RunId, input.AccountId, input.Segment, cancellation);
            var trail = await staging.ResumeTrailAsync(
                input.UserId, input.RunId, input.AccountId, input.Segment, input.Before, cancellation);
            var link = input.NextLink;
            UpstreamFailure? failure = null;
            int pages = 0, skipped = 0, matched = 0;
            var mustBeWhole = false;
            HashSet<ulong> unknown = [];
            var start = clock.GetTimestamp();
            for (; pages < input.PageBudget && (pages == 0 || (link is not null && clock.GetElapsedTime(start) < LastPageBeginsWithin)); pages++)
            {
                try
                {
                    using var page = link is null
                        ? await basiq.GetTransactionsPageAsync(input.UserId, FilterOf(input), input.PageSize, cancellation)
                        : await basiq.GetNextTransactionsPageAsync(link, cancellation);
                    if (page.NextLink is { } next && !trail.Follows(next))
                        throw EndlessPages();
                    foreach (var transaction in page)
                    {
                        if (input.Kept is null)
                        {
                            if (trail.Takes(transaction.Id.Span))
                                segment.Append(transaction.Json.Span);
                            continue;
                        }

                        var facts = TransactionFacts.Read(transaction.Json.Span, segment.Days);
                        mustBeWhole |= facts.IsOdd;
                        if (!IsWanted(input, facts) || !trail.Takes(transaction.Id.Span))
                            continue;
                        var line = segment.Append(transaction.Json.Span, facts);
                        if (overlap?.Takes(line) is true)
                            matched++;
                        else
                            unknown.Add(facts.Id);
                    }

                    trail.EndPage();
                    skipped += page.Skipped;
                    link = page.NextLink;
                    if (link is not null && trail.PagesWithoutNews >= AccountTrail.MostPagesWithoutNews)
                        throw EndlessPages();
                }
                catch (BasiqException exception)
                {
                    failure = UpstreamFailure.From(exception.Failure);
                    break;
                }

                await segment.CompletePageAsync(cancellation);
            }

            if (pages == 0)
            {
                staging.GiveBack(trail);
                return new Outcome<FetchedSegment>(null, failure);
            }

            var summary = await segment.CompleteAsync(cancellation);
            if (link is not null)
                await staging.KeepTrailAsync(trail, summary.Attempt, cancellation);
            if (skipped > 0)
                Log.TransactionsSkipped(logger, skipped, input.UserId);
            instruments.Fetched(summary.Count, isWholeAccount: link is null && failure is null);

            // An id that is kept under an older day, too, has moved.
            if (input.Kept is { } span && unknown.Count > 0)
                mustBeWhole |= await staging.HasAnyKeptAsync(input.UserId, input.AccountId, span, unknown, cancellation) is not false;
            return new Outcome<FetchedSegment>(
                new FetchedSegment(summary.Attempt, summary.Count, link, skipped, overlap?.Count ?? 0, matched, overlap?.IsInOrder is true, mustBeWhole), failure);
        });
    }

    /// <summary>
    /// Fetches what is pending of some accounts, all in one list: it has new ids whenever Basiq has been at the bank, so that none of it is
    /// kept.
    /// </summary>
    [Function(nameof(FetchPending))]
    public Task<Outcome<FetchedPending>> FetchPending([ActivityTrigger] FetchPendingInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        return AsOutcomeAsync<FetchedPending>(nameof(FetchPending), input.UserId, input.RunId, async () =>
        {
            var pending = input.AccountIds.ToDictionary(id => id.Value, _ => new List<byte[]>(), StringComparer.Ordinal);
            HashSet<string> links = [], ids = [];
            string? link = null;
            int pages = 0, skipped = 0;
            do
            {
                using var page = link is null
                    ? await basiq.GetTransactionsPageAsync(input.UserId, BasiqFilter.TransactionStatus("pending"), input.PageSize, cancellation)
                    : await basiq.GetNextTransactionsPageAsync(link, cancellation);
                skipped += page.Skipped;
                var isAnyPending = page.Count == 0;
                foreach (var transaction in page)
                {
                    isAnyPending |= transaction.IsPending;
                    if (transaction.IsPending
                        && pending.TryGetValue(Encoding.UTF8.GetString(transaction.AccountId.Span), out var ofAccount)
                        && ids.Add(Encoding.UTF8.GetString(transaction.Id.Span)))
                    {
                        ofAccount.Add(transaction.Json.ToArray());
                    }
                }

                link = page.NextLink;
                if (link is not null && !links.Add(link))
                    throw EndlessPages();

                // A filter that is not heeded gives the whole history, and a page of what is posted shows it.
                if (!isAnyPending || ++pages > MostPagesOfPending)
                    throw new BasiqException(new BasiqFailure(BasiqFailureKind.UnusableAnswer, "not-pending"));
            }
            while (link is not null);

            Dictionary<AccountId, PendingSegment> segments = [];
            foreach (var (id, transactions) in pending.Where(account => account.Value.Count > 0))
            {
                var accountId = new AccountId(id);
                await using var segment = await staging.BeginSegmentAsync(
                    input.UserId, input.RunId, accountId, SnapshotPaths.PendingNumber, cancellation);
                foreach (var transaction in transactions)
                    segment.Append(transaction);
                segments.Add(accountId, new PendingSegment((await segment.CompleteAsync(cancellation)).Attempt, transactions.Count));
            }

            if (skipped > 0)
                Log.TransactionsSkipped(logger, skipped, input.UserId);
            instruments.Fetched(segments.Values.Sum(segment => segment.Count), isWholeAccount: false);
            return new Outcome<FetchedPending>(new FetchedPending(segments, skipped));
        });
    }

    /// <summary>Makes what was staged the user's current snapshot.</summary>
    [Function(nameof(PublishSnapshot))]
    public Task<Outcome<PublishResult>> PublishSnapshot(
        [ActivityTrigger] PublishInput input, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        return AsOutcomeAsync<PublishResult>(nameof(PublishSnapshot), input.UserId, input.RunId, async () =>
        {
            if (await HasConsentEndedAsync(client, input.UserId, cancellation))
                return new Outcome<PublishResult>(null, UpstreamFailure.ConsentEnded);

            // Before there is anything to look after: tomorrow's look learns when the consents end.
            await SetDueAsync(input.UserId, cancellation);
            var published = await publisher.PublishAsync(
                new SnapshotPublication(input.UserId, input.RunId, input.StartedAt, input.ConnectionIds, input.Segments)
                {
                    AsOf = input.AsOf,
                    Spans = input.Spans,
                    Listing = input.Listing,
                },
                cancellation);

            // A look that found nothing kept yet may have taken out what was due.
            await SetDueAsync(input.UserId, cancellation);
            instruments.Posted(published.Linked, published.Ambiguous);
            return new Outcome<PublishResult>(published);
        });
    }

    /// <summary>Removes what was staged and not published.</summary>
    [Function(nameof(DiscardSync))]
    public async Task DiscardSync([ActivityTrigger] DiscardInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var measured = Instruments.BeginActivity(nameof(DiscardSync), input.UserId, SnapshotRun.SyncIdOf(input.RunId));
        await storedData.DiscardAsync(input.UserId, input.RunId, cancellation);
        measured.Ends(Instruments.Success);
    }

    /// <summary>
    /// What to ask Basiq for. Its days are instants: the bank's day may begin on the date before, and a day more on either side has all of it.
    /// </summary>
    private static BasiqFilter FilterOf(FetchTransactionsInput input)
    {
        var account = BasiqFilter.AccountId(input.AccountId);
        return input switch
        {
            { Kept: null } => account,
            { Kept: { OlderFrom: { } from, OlderBefore: { } before }, IsOlder: true } => account.And(BasiqFilter.PostDateBetween(from.AddDays(-1), before.AddDays(1))),
            { Kept: { } kept } => account.And(BasiqFilter.PostedSince(kept.From.AddDays(-1))),
        };
    }

    private static bool IsWanted(FetchTransactionsInput input, in TransactionFacts facts) =>
        facts.IsPosted && (input.IsOlder ? facts.Day < Extent.ToDay(input.Kept!.OlderBefore!.Value) : facts.Day >= Extent.ToDay(input.Kept!.From));

    private Task SetDueAsync(UserId userId, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        return due.SetAsync(userId, cancellation, (DueKinds.ConsentCheck, now), (DueKinds.JobLook, now), (DueKinds.Age, now + options.Value.MaxAge));
    }

    private static BasiqException EndlessPages() => new(new BasiqFailure(BasiqFailureKind.UnusableAnswer, "endless-pages"));

    private async Task<bool> HasConsentEndedAsync(DurableTaskClient client, UserId userId, CancellationToken cancellation)
    {
        foreach (var check in consents)
        {
            if (await check.HasEndedAsync(client, userId, cancellation))
                return true;
        }

        return false;
    }

    private static Task<Outcome<T>> AsOutcomeAsync<T>(string activity, UserId userId, RunId? runId, Func<Task<T>> call)
        where T : class => AsOutcomeAsync<T>(activity, userId, runId, async () => new Outcome<T>(await call()));

    private static async Task<Outcome<T>> AsOutcomeAsync<T>(
        string activity, UserId userId, RunId? runId, Func<Task<Outcome<T>>> call)
        where T : class
    {
        using var measured = Instruments.BeginActivity(activity, userId, runId is null ? null : SnapshotRun.SyncIdOf(runId));
        try
        {
            var outcome = await call();
            measured.Ends(outcome.Failure is null ? Instruments.Success : "incomplete");
            return outcome;
        }
        catch (BasiqException exception)
        {
            measured.Ends(BasiqOutcome.Of(exception.Failure.Kind));
            return new Outcome<T>(null, UpstreamFailure.From(exception.Failure));
        }
        catch (SnapshotDiscardedException)
        {
            measured.Ends("discarded");
            return new Outcome<T>(null, new UpstreamFailure(UpstreamFailure.DiscardedKind, "sync-discarded", false));
        }
    }
}
