using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Webhooks;

/// <summary>Takes up what a process that died left between writing an event down and scheduling it.</summary>
public sealed class RetakeEvents(EventIntake intake)
{
    /// <summary>Looks for such events, every five minutes.</summary>
    [Function(nameof(RetakeEvents))]
    public Task Run(
        [TimerTrigger("30 */5 * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        intake.RetakeAsync(client, cancellationToken);
}
