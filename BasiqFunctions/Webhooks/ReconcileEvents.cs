using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Webhooks;

/// <summary>Makes up for webhooks that never came, and for events that were given up.</summary>
public sealed class ReconcileEvents(EventReconciliation reconciliation)
{
    /// <summary>Looks through what was given up and the events that Basiq still lists, once a day.</summary>
    [Function(nameof(ReconcileEvents))]
    public Task Run(
        [TimerTrigger("0 20 4 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        reconciliation.RunAsync(client, cancellationToken);
}
