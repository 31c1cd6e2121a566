using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Consents;

/// <summary>Data goes with the consent, and in time, also when no webhook ever came.</summary>
public sealed class EnforceRetention(Retention retention, TimeProvider clock, ILogger<EnforceRetention> logger)
{
    /// <summary>
    /// A pass that takes longer is cut short here, below the 10 minutes of <c>functionTimeout</c>, at which a host ends everything that
    /// its worker does. The next pass goes on where this one stopped.
    /// </summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(8);

    /// <summary>Removes what may not be kept any more, once a day.</summary>
    [Function(nameof(EnforceRetention))]
    public async Task Run(
        [TimerTrigger("0 30 2 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        using var end = new CancellationTokenSource(Longest, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, cancellationToken);
        try
        {
            await retention.RunAsync(client, either.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            Log.RetentionCutShort(logger, Longest);
        }
    }
}
