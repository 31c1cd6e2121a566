using BasiqFunctions.Basiq;
using BasiqFunctions.Consents;
using BasiqFunctions.Snapshots;
using BasiqFunctions.Sync;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Users;

/// <summary>Removes users and connections, at Basiq and here.</summary>
public sealed class UserRemoval(
    IBasiqClient basiq,
    Syncs syncs,
    SnapshotStore snapshots,
    DataRemoval removal,
    DeletionReceipts receipts,
    ILogger<UserRemoval> logger)
{
    /// <summary>
    /// Stops the user's syncs, removes the user at Basiq and then everything kept here, which leaves a receipt. While Basiq fails
    /// nothing is lost here; once it has removed the user, or no longer knows it, what is kept here goes too, so that calling again
    /// finishes what an interruption left.
    /// </summary>
    /// <exception cref="BasiqException">
    /// Basiq could not be asked, or neither Basiq nor this app has anything of the user (<see cref="BasiqFailureKind.NotFound"/>).
    /// </exception>
    public async Task RemoveUserAsync(DurableTaskClient client, string userId, CancellationToken cancellation)
    {
        var stopped = await syncs.StopAllAsync(client, userId, cancellation);
        var unknown = await AtBasiqAsync(basiq.DeleteUserAsync(userId, cancellation));
        var hadAny = unknown is null || await HasAnyAsync(client, userId, cancellation);

        // From here on the user is gone at Basiq: a caller that hangs up must not keep its data here. A sync may have started
        // while Basiq was removing the user; after this no further one can.
        await removal.RemoveUserAsync(
            client, userId, new DeletionCause(DeletionReason.UserDeleted), CancellationToken.None, stopped, always: hadAny);
        if (!hadAny)
            throw unknown!;
        logger.UserRemoved(userId, unknown is null);
    }

    /// <summary>Removes a connection at Basiq and its accounts and transactions here.</summary>
    /// <exception cref="BasiqException">
    /// Basiq could not be asked, or neither Basiq nor this app has anything of the connection (<see cref="BasiqFailureKind.NotFound"/>).
    /// </exception>
    public async Task RemoveConnectionAsync(string userId, string connectionId, CancellationToken cancellation)
    {
        var unknown = await AtBasiqAsync(basiq.DeleteConnectionAsync(userId, connectionId, cancellation));
        var receipt = await removal.RemoveConnectionAsync(
            userId, connectionId, new DeletionCause(DeletionReason.ConnectionDeleted), CancellationToken.None);
        if (unknown is not null && receipt is null)
            throw unknown;
        logger.ConnectionRemoved(connectionId, userId, unknown is null);
    }

    /// <summary>Null when Basiq removed it, the exception when Basiq does not have it.</summary>
    private static async Task<BasiqException?> AtBasiqAsync(Task removal)
    {
        try
        {
            await removal;
            return null;
        }
        catch (BasiqException e) when (e.Failure.Kind is BasiqFailureKind.NotFound or BasiqFailureKind.Gone)
        {
            return e;
        }
    }

    private async Task<bool> HasAnyAsync(DurableTaskClient client, string userId, CancellationToken cancellation)
    {
        try
        {
            if (await snapshots.GetCurrentAsync(userId, cancellation) is not null)
                return true;
        }
        catch (SnapshotCorruptException)
        {
            return true;
        }

        return await syncs.AnyAsync(client, userId, cancellation)
            || await receipts.FindUnderWayAsync(userId, null, cancellation) is not null;
    }
}
