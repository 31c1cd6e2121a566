using BasiqFunctions.Basiq;
using BasiqFunctions.Sync;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Connections;

/// <summary>Has Basiq fetch anew from the banks, and follows the jobs that do it.</summary>
public sealed class ConnectionRefresh(IBasiqClient basiq, Syncs syncs)
{
    /// <summary>
    /// Asks for the refresh and starts its sync, or finds the sync when Basiq is still at the same jobs. Null when there is
    /// nothing to refresh.
    /// </summary>
    /// <exception cref="BasiqException">Basiq could not be asked, or does not know the user or the connection.</exception>
    public async Task<SyncAnswer?> StartAsync(
        DurableTaskClient client, string userId, string? connectionId, CancellationToken cancellation)
    {
        var jobIds = connectionId is null
            ? await basiq.RefreshConnectionsAsync(userId, cancellation)
            : await basiq.RefreshConnectionAsync(userId, connectionId, cancellation);
        return jobIds.Count == 0 ? null : await syncs.FollowAsync(client, userId, jobIds, cancellation);
    }
}
