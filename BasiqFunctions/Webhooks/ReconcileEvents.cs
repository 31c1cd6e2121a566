using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Webhooks;

/// <summary>Makes up for webhooks that never came.</summary>
public sealed class ReconcileEvents(EventReconciliation reconciliation)
{
    /// <summary>Looks through the events that Basiq has listed since the last look, once a day.</summary>
    [Function(nameof(ReconcileEvents))]
    public Task Run(
        [TimerTrigger("0 20 4 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        reconciliation.RunAsync(client, cancellationToken);
}
