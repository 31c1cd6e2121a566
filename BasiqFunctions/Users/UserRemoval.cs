using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Users;

/// <summary>Removes users, at Basiq and here.</summary>
/// <remarks>
/// With the API key of another application Basiq does not know any user. So that it does not know one is believed while
/// the key reads somebody, and else nothing is removed here.
/// </remarks>
public sealed class UserRemoval(
    IBasiqClient basiq,
    Syncs syncs,
    SnapshotReader snapshots,
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
        var unknown = await basiq.DeleteUserAsync(userId, cancellation).NotFoundAsync();
        if (unknown is not null && await key.ReadsAsync(userId, cancellation))
            throw unknown.Contradicted();
        var hadAny = unknown is null || await HasAnyAsync(client, userId, cancellation);

        // From here on the user is gone at Basiq: a caller that hangs up must not keep its data here. A sync may have started
        // while Basiq was removing the user; after this no further one can.
        var removal = await removals.RunAsync(client, userId, null, new DeletionCause(DeletionReason.UserDeleted), stopped, always: hadAny);
        if (!hadAny)
            throw unknown!;
        logger.UserRemoved(userId, unknown is null);
        return removal;
    }

    private static ProblemResult KeyInDoubt => Problem.Of(
        StatusCodes.Status502BadGateway,
        ProblemCodes.BasiqRefused,
        "Basiq does not know this user, nor any other that this service asked for: its API key may be another application's. Nothing was "
        + "removed; the service's operator must check the key.");

    /// <summary>Whether a user whom Basiq does not know is gone: Basiq had the user when the caller first asked, or knows others.</summary>
    private async Task<bool> IsBelievedAsync(DurableTaskClient client, string userId, CancellationToken cancellation) =>
        await requests.IsNotedAsync(userId, cancellation)
        || await Removals.IsUnderWayAsync(client, userId, cancellation)
        || await key.ReadsAnyAsync(snapshots.EnumerateUsersAsync(cancellation).Where(other => other != userId), cancellation);

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
