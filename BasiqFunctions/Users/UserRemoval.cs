using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Users;

/// <summary>Removes users and connections, at Basiq and here.</summary>
/// <remarks>
/// With the API key of another application Basiq does not know any user or connection. So that it does not know one is believed while
/// the key reads somebody, and else nothing is removed here.
/// </remarks>
public sealed class UserRemoval(
    IBasiqClient basiq,
    Syncs syncs,
    SnapshotStore snapshots,
    Removals removals,
    DeletionRequests requests,
    KeyWitness key,
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
    /// <exception cref="ProblemException">Basiq does not know the user, nor anybody else: the API key may be another application's.</exception>
    public async Task<RemovalAsked> RemoveUserAsync(DurableTaskClient client, string userId, CancellationToken cancellation)
    {
        if (await key.ReadsAsync(userId, cancellation))
            await requests.NoteAsync(userId, cancellation);
        else if (await HasAnyAsync(client, userId, cancellation) && !await IsBelievedAsync(client, userId, cancellation))
            throw new ProblemException(KeyInDoubt);
        var stopped = await syncs.StopAllAsync(client, userId, cancellation);
        var unknown = await AtBasiqAsync(basiq.DeleteUserAsync(userId, cancellation));
        if (unknown is not null && await key.ReadsAsync(userId, cancellation))
            throw Contradicted(unknown);
        var hadAny = unknown is null || await HasAnyAsync(client, userId, cancellation);

        // From here on the user is gone at Basiq: a caller that hangs up must not keep its data here. A sync may have started
        // while Basiq was removing the user; after this no further one can.
        var removal = await removals.RunAsync(client, userId, null, new DeletionCause(DeletionReason.UserDeleted), stopped, always: hadAny);
        if (!hadAny)
            throw unknown!;
        logger.UserRemoved(userId, unknown is null);
        return removal;
    }

    /// <summary>
    /// Removes a connection at Basiq, with the accounts and transactions that it has of it, and those here. Calling again finishes what
    /// a failure left.
    /// </summary>
    /// <exception cref="BasiqException">
    /// Basiq could not be asked, or neither Basiq nor this app has anything of the connection (<see cref="BasiqFailureKind.NotFound"/>),
    /// or Basiq does not know the user. Nothing has been removed here, and when Basiq could not purge, nothing has been deleted there.
    /// </exception>
    public async Task<RemovalAsked> RemoveConnectionAsync(
        DurableTaskClient client, string userId, string connectionId, CancellationToken cancellation)
    {
        var connection = await FindAsync(userId, connectionId, cancellation);
        if (connection is { IsActive: true })
            await PurgeAsync(userId, connectionId, cancellation);
        var unknown = await AtBasiqAsync(basiq.DeleteConnectionAsync(userId, connectionId, cancellation));
        if (unknown is not null && await FindAsync(userId, connectionId, cancellation) is { IsDeleted: false })
            throw Contradicted(unknown);
        if (connection is null || unknown is not null)
            await basiq.GetUserAsync(userId, cancellation);
        var removal = await removals.RunAsync(
            client, userId, connectionId, new DeletionCause(DeletionReason.ConnectionDeleted), always: unknown is null);
        if (unknown is not null && !removal.IsAny)
            throw unknown;
        logger.ConnectionRemoved(connectionId, userId, unknown is null);
        return removal;
    }

    private static ProblemResult KeyInDoubt => Problem.Of(
        StatusCodes.Status502BadGateway,
        ProblemCodes.BasiqRefused,
        "Basiq does not know this user, nor any other that this service asked for: its API key may be another application's. Nothing was "
        + "removed; whoever runs the service must check the key.");

    /// <summary>Has Basiq remove what it holds of an active connection, which deleting the connection would leave.</summary>
    private async Task PurgeAsync(string userId, string connectionId, CancellationToken cancellation)
    {
        try
        {
            await basiq.PurgeConnectionAsync(userId, connectionId, cancellation);
        }
        catch (BasiqException e) when (e.Failure.Kind is BasiqFailureKind.NotFound or BasiqFailureKind.Gone or BasiqFailureKind.Invalid)
        {
            // It may have gone, or ceased to be active, since it was looked at. Otherwise this is no fault of the caller's.
            if (await FindAsync(userId, connectionId, cancellation) is { IsActive: true })
                throw Contradicted(e);
        }
    }

    private async Task<Connection?> FindAsync(string userId, string connectionId, CancellationToken cancellation)
    {
        try
        {
            return await basiq.GetConnectionAsync(userId, connectionId, cancellation);
        }
        catch (BasiqException e) when (e.Failure.Kind is BasiqFailureKind.NotFound or BasiqFailureKind.Gone)
        {
            return null;
        }
    }

    /// <summary>Whether a user whom Basiq does not know is gone: Basiq had the user when the caller first asked, or knows others.</summary>
    private async Task<bool> IsBelievedAsync(DurableTaskClient client, string userId, CancellationToken cancellation) =>
        await requests.IsNotedAsync(userId, cancellation)
        || await Removals.IsUnderWayAsync(client, userId, cancellation)
        || await key.ReadsAnyAsync(snapshots.EnumerateUsersAsync(cancellation).Where(other => other != userId), cancellation);

    /// <summary>What Basiq does not know when it is to remove it, and has when it is asked for it, has not been removed.</summary>
    private static BasiqException Contradicted(BasiqException unknown) =>
        new(unknown.Failure with { Kind = BasiqFailureKind.UnusableAnswer });

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

        return await syncs.AnyAsync(client, userId, cancellation) || await Removals.IsUnderWayAsync(client, userId, cancellation);
    }
}
