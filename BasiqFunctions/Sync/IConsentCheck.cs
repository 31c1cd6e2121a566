using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Sync;

/// <summary>Knows whether a user's data may still be fetched and kept.</summary>
public interface IConsentCheck
{
    /// <summary>Whether the user's consent has ended, and with it what a sync may fetch.</summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user.</param>
    /// <param name="cancellation">Ends the wait.</param>
    Task<bool> HasEndedAsync(DurableTaskClient client, UserId userId, CancellationToken cancellation);
}

/// <summary>Tells syncs that their jobs have changed (<see cref="Syncs.WakeAsync"/>), so that they poll less often.</summary>
public interface IJobNews
{
    /// <summary>Whether news can be expected from now on. Syncs ask anyway, only less often: news may get lost.</summary>
    Task<bool> AreExpectedAsync(CancellationToken cancellation);
}
