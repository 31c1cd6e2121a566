using BasiqFunctions.Storage;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Sync;

/// <summary>Keeps the task hub from growing for ever.</summary>
public sealed class PurgeFinishedSyncs(Syncs syncs, ClockCheck clock)
{
    /// <summary>Forgets the syncs that finished long ago (<see cref="SyncOptions.KeepFinishedFor"/>), once a day.</summary>
    [Function(nameof(PurgeFinishedSyncs))]
    public Task Run(
        [TimerTrigger("0 15 3 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clock.IsConfirmed ? syncs.ForgetFinishedAsync(client, cancellationToken) : Task.CompletedTask;
}
