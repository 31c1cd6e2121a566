using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Removal;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Connections;

/// <summary>Removes connections, at Basiq and here.</summary>
public sealed class ConnectionRemoval(IBasiqClient basiq, Removals removals, ILogger<ConnectionRemoval> logger)
{
    /// <summary>
    /// Removes a connection at Basiq, with the accounts and transactions that it has of it, and those here. Calling again finishes what
    /// a failure left.
    /// </summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user, already validated as an id.</param>
    /// <param name="connectionId">The connection, already validated as an id.</param>
    /// <param name="purges">Whether Basiq removes what it has of the connection, and not only the connection.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="BasiqException">
    /// Basiq could not be asked, or neither Basiq nor this app has anything of the connection (<see cref="BasiqFailureKind.NotFound"/>),
    /// or Basiq does not know the user. Nothing has been removed here, and when Basiq could not purge, nothing has been deleted there.
    /// </exception>
    public async Task<RemovalAsked> RemoveAsync(
        DurableTaskClient client, string userId, string connectionId, bool purges, CancellationToken cancellation)
    {
        var connection = await FindAsync(userId, connectionId, cancellation);
        if (purges && connection is { IsActive: true })
            await PurgeAsync(userId, connectionId, cancellation);
        var unknown = await basiq.DeleteConnectionAsync(userId, connectionId, cancellation).NotFoundAsync();
        if (unknown is not null && await FindAsync(userId, connectionId, cancellation) is { IsDeleted: false })
            throw unknown.Contradicted();
        if (connection is null || unknown is not null)
            await basiq.GetUserAsync(userId, cancellation);
        var removal = await removals.RunAsync(
            client, userId, connectionId, new DeletionCause(DeletionReason.ConnectionDeleted), always: unknown is null);
        if (unknown is not null && !removal.IsAny)
            throw unknown;
        logger.ConnectionRemoved(connectionId, userId, unknown is null);
        return removal;
    }

    /// <summary>Has Basiq remove what it holds of an active connection, which deleting the connection would leave.</summary>
    private async Task PurgeAsync(string userId, string connectionId, CancellationToken cancellation)
    {
        try
        {
            await basiq.PurgeConnectionAsync(userId, connectionId, cancellation);
        }
        catch (BasiqException e) when (e.Failure is { IsNotFound: true } or { Kind: BasiqFailureKind.Invalid })
        {
            // It may have gone, or ceased to be active, since it was looked at. Otherwise this is no fault of the caller's.
            if (await FindAsync(userId, connectionId, cancellation) is { IsActive: true })
                throw e.Contradicted();
        }
    }

    private Task<Connection?> FindAsync(string userId, string connectionId, CancellationToken cancellation) =>
        basiq.GetConnectionAsync(userId, connectionId, cancellation).OrNullAsync();
}
