using BasiqFunctions.Platform.Telemetry;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace BasiqFunctions.Sync;

/// <summary>The durable orchestration of a sync.</summary>
public sealed class SyncOrchestration(Instruments instruments)
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "SyncConnections";

    /// <summary>Event that ends a wait between two polls early, for whoever knows that a job has changed.</summary>
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
        SyncProgress? ended = null;
        try
        {
            return ended = await new SyncRun(context, input).RunAsync();
        }
        finally
        {
            // The end is the one place that is reached once, and only while nothing is replayed.
            if (!context.IsReplaying)
                Measure(ended, input, context.CurrentUtcDateTime - startedAt);
        }
    }

    private void Measure(SyncProgress? ended, SyncInput input, TimeSpan duration)
    {
        instruments.SyncEnded(SyncOutcome.Of(ended?.Status ?? SyncState.Failed), duration);
        foreach (var job in ended?.Jobs ?? input.Jobs)
            instruments.JobEnded(SyncOutcome.Of(job.Status), SyncOutcome.FailureCodeOf(job));
    }
}
