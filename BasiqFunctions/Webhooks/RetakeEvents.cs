using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Webhooks;

/// <summary>Takes up what was written down and not scheduled: the process died in between, or scheduling failed.</summary>
/// <remarks>
/// Also whenever the host starts, which Microsoft Learn ("Timer trigger for Azure Functions", <c>runOnStartup</c>) advises against for
/// what should not run at odd times. This may: nearly always it finds nothing, in one request to storage.
/// </remarks>
public sealed class RetakeEvents(EventIntake intake)
{
    /// <summary>Looks for such events, every five minutes and after a start.</summary>
    [Function(nameof(RetakeEvents))]
    public Task Run(
        [TimerTrigger("30 */5 * * * *", RunOnStartup = true)] TimerInfo timer,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellationToken) =>
        intake.RetakeAsync(client, cancellationToken);
}
