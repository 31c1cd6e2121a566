using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Sync;

/// <summary>Knows how banks are.</summary>
public interface IBankOutlook
{
    /// <summary>How long a job takes on average at a bank; null where nobody knows.</summary>
    /// <param name="institutionId">The bank.</param>
    /// <param name="cancellation">Ends the wait.</param>
    Task<TimeSpan?> FindDurationAsync(string institutionId, CancellationToken cancellation);

    /// <summary>
    /// What Basiq says of a connection's bank that cannot be reached at all; null for one that can, or of which nobody knows. The user is told
    /// then, and again once it is over.
    /// </summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user.</param>
    /// <param name="connectionId">The connection.</param>
    /// <param name="cancellation">Ends the wait.</param>
    Task<string?> FindOutageAsync(DurableTaskClient client, UserId userId, ConnectionId connectionId, CancellationToken cancellation);
}
