using BasiqFunctions.Storage;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Snapshots;

/// <summary>Removes what crashed syncs left, of users too who never sync again.</summary>
public sealed class RemoveLeftovers(SnapshotStore snapshots, ClockCheck clock)
{
    /// <summary>Looks through every user's blobs, once a day.</summary>
    [Function(nameof(RemoveLeftovers))]
    public Task Run([TimerTrigger("0 45 3 * * *")] TimerInfo timer, CancellationToken cancellationToken) =>
        clock.IsConfirmed ? snapshots.RemoveUnreferencedAsync(cancellationToken) : Task.CompletedTask;
}
