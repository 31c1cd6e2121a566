using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Idempotency;

/// <summary>Removes what is no longer needed of requests with an <c>Idempotency-Key</c>.</summary>
public sealed class RemoveExpiredKeys(IdempotentRequests requests)
{
    /// <summary>Removes records that have expired. What a failure leaves, the next run finds.</summary>
    [Function(nameof(RemoveExpiredKeys))]
    public Task Run([TimerTrigger("0 40 * * * *")] TimerInfo timer, CancellationToken cancellationToken) =>
        requests.RemoveExpiredAsync(cancellationToken);
}
