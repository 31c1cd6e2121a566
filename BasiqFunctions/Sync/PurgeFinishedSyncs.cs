using BasiqFunctions.Basiq;
using BasiqFunctions.Platform.Records;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Sync;

/// <summary>Purges orchestrations that ended long ago, each kind after its own retention, so that the task hub stays small.</summary>
/// <remarks>
/// The host's purge takes no prefix: it forgets what is older than every kind is kept for, in slices. What is kept for less is forgotten
/// by its ids, a page at a time. No call lasts anywhere near the 100 seconds after which the worker gives one up: the extension that the
/// worker's package 1.21 binds (3.18) hands the slice's time on, and its Azure Storage provider stops there and says that there is more.
/// </remarks>
public sealed class PurgeFinishedSyncs(
    IEnumerable<KeptHistory> kinds, IBasiqClient basiq, ClockCheck clock, TimeProvider time, ILogger<PurgeFinishedSyncs> logger)
{
    private const int PageSize = 100;
    private const int AtOnce = 8;

    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(30);

    /// <summary>After which no slice and no page is begun: a host ends a function after ten minutes, and with it all that is left to do.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(8);

    /// <summary>Before any orchestration. A purge without a beginning asks Azure Tables for the year 1, which they cannot hold.</summary>
    private static readonly DateTimeOffset Epoch = DateTimeOffset.UnixEpoch;

    private static readonly OrchestrationRuntimeStatus[] Finished =
        [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated];

    /// <summary>Forgets what is due, once a day.</summary>
    [Function(nameof(PurgeFinishedSyncs))]
    public async Task Run(
        [TimerTrigger("0 15 3 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (!clock.IsConfirmed)
            await AskAnythingAsync(cancellationToken);
        if (!clock.IsConfirmed)
        {
            Log.PurgeSkipped(logger);
            return;
        }

        var now = time.GetUtcNow();
        var begun = time.GetTimestamp();
        var longest = kinds.Max(kind => kind.For);
        var purged = 0;

        // What is kept for less first: it is the most, and would wait longest.
        foreach (var kind in kinds.Where(kind => kind.For < longest).OrderBy(kind => kind.For))
            await PurgeAsync(kind.Prefix, now - kind.For);
        var isComplete = await PurgeAllAsync(now - longest);

        // Each slice begins at the first row again. One that found nothing in its time leaves what lies behind those rows to pages.
        if (!isComplete)
            await PurgeAsync(null, now - longest);
        if (IsTimeOver())
            Log.PurgeIncomplete(logger, purged);
        else if (purged > 0)
            Log.HistoriesPurged(logger, purged);

        bool IsTimeOver() => time.GetElapsedTime(begun) > Longest;

        async Task<bool> PurgeAllAsync(DateTimeOffset before)
        {
            while (!IsTimeOver())
            {
                var slice = await client.PurgeAllInstancesAsync(
                    new PurgeInstancesFilter(Epoch, before, Finished) { Timeout = Slice }, options: null, cancellationToken);
                purged += slice.PurgedInstanceCount;
                if (slice is not { IsComplete: false, PurgedInstanceCount: > 0 })
                    return slice.IsComplete is not false;
            }

            return true;
        }

        async Task PurgeAsync(string? prefix, DateTimeOffset before)
        {
            if (IsTimeOver())
                return;
            var due = client.GetAllInstancesAsync(new OrchestrationQuery(Epoch, before, Finished, InstanceIdPrefix: prefix, PageSize: PageSize));
            await foreach (var page in due.AsPages().WithCancellation(cancellationToken))
            {
                await Parallel.ForEachAsync(
                    page.Values,
                    new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
                    async (ended, token) => await client.PurgeInstanceAsync(ended.InstanceId, options: null, token));
                purged += page.Values.Count;
                if (IsTimeOver())
                    return;
            }
        }
    }

    /// <summary>A process that has just started has no answer of Basiq's yet, and with it no date.</summary>
    private async Task AskAnythingAsync(CancellationToken cancellation)
    {
        try
        {
            await basiq.ListWebhooksAsync(cancellation);
        }
        catch (BasiqException)
        {
            // Its answer may have been a refusal, which is dated as well.
        }
    }
}

/// <summary>How long the histories of one kind of orchestration are kept.</summary>
/// <param name="Prefix">What the ids of its instances begin with.</param>
/// <param name="For">The time from the start of one that has ended: what a task hub can filter by.</param>
public sealed record KeptHistory(string Prefix, TimeSpan For);
