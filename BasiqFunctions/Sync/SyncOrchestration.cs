using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace BasiqFunctions.Sync;

/// <summary>The durable orchestration of a sync.</summary>
public static class SyncOrchestration
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "SyncConnections";

    /// <summary>Event that ends a wait between two polls early, for whoever knows that a job has changed.</summary>
    public const string JobChangedEvent = "JobChanged";

    /// <summary>Event that stops the sync.</summary>
    public const string CancelEvent = "Cancel";

    /// <summary>Polls the jobs, fetches the accounts of those that succeed, and publishes the snapshot.</summary>
    [Function(Name)]
    public static Task<SyncProgress> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new SyncRun(context, context.GetInput<SyncInput>()!).RunAsync();
    }
}
