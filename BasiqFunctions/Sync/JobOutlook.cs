using BasiqFunctions.Basiq.Models;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Sync;

/// <summary>What can be expected of a job: when it will have ended, or what to wait for after a failure that is the bank's.</summary>
public sealed class JobOutlook(IEnumerable<IBankOutlook> banks, TimeProvider clock)
{
    /// <summary>"Wait 10 minutes, then refresh" (Basiq, guide: Handling jobs).</summary>
    internal static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(10);

    /// <summary>A job as a sync keeps it, with its outlook.</summary>
    internal async Task<SyncedJob> OfAsync(DurableTaskClient client, UserId userId, Job job, CancellationToken cancellation)
    {
        var synced = SyncedJob.From(job);
        if (synced.NextAction is NextAction.RetryLater)
        {
            if (synced.ConnectionId is { } connectionId && JobCodes.MayBeOutage(synced.FailureCode)
                && await FirstAsync(bank => bank.FindOutageAsync(client, userId, connectionId, cancellation)) is { } status)
            {
                return synced with { NextAction = NextAction.WaitForBank, BankStatus = status };
            }

            return synced with { RetryAt = (BasiqTime.Of(job.Updated) ?? clock.GetUtcNow()) + RetryAfter };
        }

        return !synced.IsSettled && job.InstitutionId is { } institutionId && BasiqTime.Of(job.Created) is { } createdAt
            && await FirstAsync(async bank => await bank.FindDurationAsync(institutionId, cancellation) is { } duration ? new Estimate(createdAt + duration) : null) is { } estimate
            ? synced with { ExpectedEndsAt = estimate.At }
            : synced;
    }

    private async Task<T?> FirstAsync<T>(Func<IBankOutlook, Task<T?>> ask)
        where T : class
    {
        foreach (var bank in banks)
        {
            if (await ask(bank) is { } known)
                return known;
        }

        return null;
    }

    private sealed record Estimate(DateTimeOffset At);
}
