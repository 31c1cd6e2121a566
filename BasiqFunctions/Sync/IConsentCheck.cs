using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Sync;

/// <summary>Whoever knows whether a user's data may still be fetched and kept.</summary>
public interface IConsentCheck
{
    /// <summary>Whether the user's consent has ended, and with it what a sync may fetch.</summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user.</param>
    /// <param name="cancellation">Ends the wait.</param>
    Task<bool> HasEndedAsync(DurableTaskClient client, string userId, CancellationToken cancellation);
}
