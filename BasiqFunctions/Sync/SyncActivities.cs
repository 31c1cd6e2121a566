using BasiqFunctions.Basiq;
using BasiqFunctions.Snapshots;
using BasiqFunctions.Storage;
using BasiqFunctions.Telemetry;
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
    SnapshotStore snapshots,
    IEnumerable<IConsentCheck> consents,
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

    /// <summary>Reads a job. One that belongs to another user is not found.</summary>
    [Function(nameof(ObserveJob))]
    public Task<Outcome<SyncedJob>> ObserveJob([ActivityTrigger] ObserveJobInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        return AsOutcomeAsync(nameof(ObserveJob), input.UserId, run: null, async () =>
        {
            var job = await basiq.GetJobAsync(input.JobId, cancellation);
            return job.UserId is { } owner && owner != input.UserId
                ? SyncedJob.Lost(input.JobId, SyncedJob.NotFoundCode)
                : SyncedJob.From(job);
        });
    }

    /// <summary>Lists the user's accounts and stages those of the connections that succeeded.</summary>
    [Function(nameof(StageAccounts))]
    public Task<Outcome<StagedAccounts>> StageAccounts(
        [ActivityTrigger] StageAccountsInput input, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        return AsOutcomeAsync<StagedAccounts>(nameof(StageAccounts), input.UserId, input.SyncId, async () =>
        {
            if (await HasConsentEndedAsync(client, input.UserId, cancellation))
                return new Outcome<StagedAccounts>(null, UpstreamFailure.ConsentEnded);
            var list = await wanted.ListAsync(input.UserId, input.ConnectionIds, cancellation);
            await due.SetAsync(input.UserId, cancellation, (DueKinds.Leftover, clock.GetUtcNow() + options.Value.LeftoverGrace));
            var staged = await snapshots.StageAccountsAsync(input.UserId, input.SyncId, list.Accounts, cancellation);
            foreach (var (reason, count) in list.Skipped)
            {
                Log.AccountsSkipped(logger, input.UserId, count, reason);
                instruments.AccountsSkipped(reason, count);
            }

            return new Outcome<StagedAccounts>(
                new StagedAccounts([.. staged.Select(account => account.AccountId)], list.ConnectionIds, list.Listing, list.Skipped));
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
        return AsOutcomeAsync<FetchedSegment>(nameof(FetchTransactions), input.UserId, input.SyncId, async () =>
        {
            await using var segment = await snapshots.BeginSegmentAsync(
                input.UserId, input.SyncId, input.AccountId, input.Segment, cancellation);
            var trail = await snapshots.ResumeTrailAsync(
                input.UserId, input.SyncId, input.AccountId, input.Segment, input.Before, cancellation);
            var link = input.NextLink;
            UpstreamFailure? failure = null;
            int pages = 0, skipped = 0;
            var start = clock.GetTimestamp();
            for (; pages < input.PageBudget && (pages == 0 || (link is not null && clock.GetElapsedTime(start) < LastPageBeginsWithin)); pages++)
            {
                try
                {
                    using var page = link is null
                        ? await basiq.GetTransactionsPageAsync(
                            input.UserId, BasiqFilter.AccountId(input.AccountId), input.PageSize, cancellation)
                        : await basiq.GetNextTransactionsPageAsync(link, cancellation);
                    if (page.NextLink is { } next && !trail.Follows(next))
                        throw EndlessPages();
                    foreach (var transaction in page)
                    {
                        if (trail.Takes(transaction.Id.Span))
                            segment.Append(transaction.Json.Span);
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
                snapshots.GiveBack(trail);
                return new Outcome<FetchedSegment>(null, failure);
            }

            var summary = await segment.CompleteAsync(cancellation);
            if (link is not null)
                await snapshots.KeepTrailAsync(trail, summary.Attempt, cancellation);
            if (skipped > 0)
                Log.TransactionsSkipped(logger, skipped, input.UserId);
            instruments.Fetched(summary.Count, isWholeAccount: link is null && failure is null);
            return new Outcome<FetchedSegment>(new FetchedSegment(summary.Attempt, summary.Count, link, skipped), failure);
        });
    }

    /// <summary>Makes what was staged the user's current snapshot.</summary>
    [Function(nameof(PublishSnapshot))]
    public Task<Outcome<PublishResult>> PublishSnapshot(
        [ActivityTrigger] PublishInput input, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        return AsOutcomeAsync<PublishResult>(nameof(PublishSnapshot), input.UserId, input.SyncId, async () =>
        {
            if (await HasConsentEndedAsync(client, input.UserId, cancellation))
                return new Outcome<PublishResult>(null, UpstreamFailure.ConsentEnded);

            // Before there is anything to look after: tomorrow's look learns when the consents end.
            var now = clock.GetUtcNow();
            await due.SetAsync(input.UserId, cancellation, (DueKinds.ConsentCheck, now), (DueKinds.Age, now + options.Value.MaxAge));
            return new Outcome<PublishResult>(await snapshots.PublishAsync(
                new SnapshotPublication(input.UserId, input.SyncId, input.StartedAt, input.ConnectionIds, input.Segments)
                {
                    Listing = input.Listing,
                },
                cancellation));
        });
    }

    /// <summary>Removes what was staged and not published.</summary>
    [Function(nameof(DiscardSync))]
    public async Task DiscardSync([ActivityTrigger] DiscardInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var measured = Instruments.BeginActivity(nameof(DiscardSync), input.UserId, SnapshotRun.SyncIdOf(input.SyncId));
        await snapshots.DiscardAsync(input.UserId, input.SyncId, cancellation);
        measured.Ends(Instruments.Success);
    }

    private static BasiqException EndlessPages() => new(new BasiqFailure(BasiqFailureKind.UnusableAnswer, "endless-pages"));

    private async Task<bool> HasConsentEndedAsync(DurableTaskClient client, string userId, CancellationToken cancellation)
    {
        foreach (var check in consents)
        {
            if (await check.HasEndedAsync(client, userId, cancellation))
                return true;
        }

        return false;
    }

    private static Task<Outcome<T>> AsOutcomeAsync<T>(string activity, string userId, string? run, Func<Task<T>> call)
        where T : class => AsOutcomeAsync<T>(activity, userId, run, async () => new Outcome<T>(await call()));

    private static async Task<Outcome<T>> AsOutcomeAsync<T>(
        string activity, string userId, string? run, Func<Task<Outcome<T>>> call)
        where T : class
    {
        using var measured = Instruments.BeginActivity(activity, userId, run is null ? null : SnapshotRun.SyncIdOf(run));
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
