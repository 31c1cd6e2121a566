using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Consents;

/// <summary>Data goes with the consent, and in time, also when no webhook ever came.</summary>
public sealed class EnforceRetention(Retention retention)
{
    /// <summary>Removes what may not be kept any more, once a day.</summary>
    [Function(nameof(EnforceRetention))]
    public Task Run(
        [TimerTrigger("0 30 2 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        retention.RunAsync(client, cancellationToken);
}
