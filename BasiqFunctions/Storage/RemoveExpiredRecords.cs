using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Storage;

/// <summary>Removes what is no longer needed from the app's tables.</summary>
public sealed class RemoveExpiredRecords(ExpiredRecords records, ClockCheck clock)
{
    /// <summary>Removes records that have expired, by a clock that is confirmed. What a failure leaves, the next run finds.</summary>
    [Function(nameof(RemoveExpiredRecords))]
    public Task Run([TimerTrigger("0 40 * * * *")] TimerInfo timer, CancellationToken cancellationToken) =>
        clock.IsConfirmed ? records.RemoveAsync(cancellationToken) : Task.CompletedTask;
}
