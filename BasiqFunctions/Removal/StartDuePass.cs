using BasiqFunctions.Platform.Records;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Removal;

/// <summary>Data goes with the consent, and in time, also when no webhook ever came.</summary>
public sealed class StartDuePass(TimeProvider clock)
{
    /// <summary>Starts the pass of the day, unless it runs already. What it does goes on by itself, and takes up days that were missed.</summary>
    [Function(nameof(StartDuePass))]
    public async Task Run(
        [TimerTrigger("0 30 2 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        var now = clock.GetUtcNow();
        var instanceId = DueOrchestration.InstanceIdFor(now);
        if (await client.GetInstanceAsync(instanceId, cancellationToken) is not { IsCompleted: false })
        {
            await client.ScheduleNewOrchestrationInstanceAsync(
                DueOrchestration.Name, DueWork.DayOf(now), new StartOrchestrationOptions(instanceId), cancellationToken);
        }
    }
}
