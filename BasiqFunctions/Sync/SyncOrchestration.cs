using BasiqFunctions.Data;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace BasiqFunctions.Sync;

/// <summary>The durable orchestration of a sync.</summary>
public sealed class SyncOrchestration(Instruments instruments)
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "SyncConnections";

    /// <summary>Event that ends a wait between two polls early, because a job has changed.</summary>
    public const string JobChangedEvent = "JobChanged";

    /// <summary>Event that stops the sync.</summary>
    public const string CancelEvent = "Cancel";

    /// <summary>Polls the jobs, fetches the accounts of those that succeed, and publishes the snapshot.</summary>
    [Function(Name)]
    public async Task<SyncProgress> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var startedAt = context.CurrentUtcDateTime;
        var input = context.GetInput<SyncInput>()!;
        var run = new SyncRun(context, input);
        SyncProgress? ended = null;
        try
        {
            try
            {
                ended = await run.RunAsync();
            }
            finally
            {
                // The end is the one place that is reached once, and only while nothing is replayed.
                if (!context.IsReplaying)
                    Measure(ended, input, context.CurrentUtcDateTime - startedAt);
            }
        }
        catch (TaskFailedException)
        {
            await TellAsync(context, input, new SyncProgress(SyncState.Failed, input.Jobs, new AccountProgress(0, 0), 0), news: null);
            throw;
        }

        await TellAsync(context, input, ended, run.News);
        return ended;
    }

    /// <summary>Tells the team's backend how it ended, what changed, and which connections need the person, or do not any more.</summary>
    private static Task TellAsync(TaskOrchestrationContext context, SyncInput input, SyncProgress ended, PublishResult? news)
    {
        List<Notice> notices = [];
        if (news is { HasNews: true })
            notices.Add(context.Notice(NoticeTypes.DataChanged, new NoticeData(input.UserId) { DataAsOf = news.DataAsOf }));
        foreach (var job in ended.Jobs.Where(job => job.ConnectionId is not null))
        {
            var data = new NoticeData(input.UserId) { ConnectionId = job.ConnectionId };
            if (job is { Status: JobState.Failed, NextAction: NextAction.Reconnect or NextAction.ActAtBank })
            {
                var action = job.NextAction is NextAction.Reconnect ? "reconnect" : "act-at-bank";
                notices.Add(context.Notice(NoticeTypes.ConnectionAttention, data with { NextAction = action }) with { OnlyIfNews = true });
            }
            else if (job.Status is JobState.Success)
            {
                notices.Add(context.Notice(NoticeTypes.ConnectionRecovered, data) with { OnlyIfNews = true });
            }
        }

        notices.Add(context.Notice(
            NoticeTypes.SyncEnded, new NoticeData(input.UserId) { SyncId = new(context.InstanceId), Outcome = SyncOutcome.Of(ended.Status) }));
        return context.TellAsync(notices);
    }

    private void Measure(SyncProgress? ended, SyncInput input, TimeSpan duration)
    {
        instruments.SyncEnded(SyncOutcome.Of(ended?.Status ?? SyncState.Failed), duration);
        foreach (var job in ended?.Jobs ?? input.Jobs)
            instruments.JobEnded(SyncOutcome.Of(job.Status), SyncOutcome.FailureCodeOf(job));
    }
}
