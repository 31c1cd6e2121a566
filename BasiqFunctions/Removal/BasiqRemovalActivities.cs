using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Sync;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Removal;

/// <summary>The steps of a removal at Basiq. Each may run again: what it then finds done is done.</summary>
/// <remarks>
/// With the API key of another application Basiq does not know any user. So that it does not know one is believed while the key reads somebody, or
/// read this one when the removal began; else nothing is removed.
/// </remarks>
public sealed class BasiqRemovalActivities(
    IBasiqClient basiq, Syncs syncs, SnapshotReader snapshots, KeyWitness key, ILogger<BasiqRemovalActivities> logger)
{
    /// <summary>Looks at what Basiq has of it, so that later it does not matter whether a call whose answer was lost was carried out.</summary>
    [Function(nameof(LookAtBasiq))]
    public Task<BasiqStep<FoundAtBasiq>> LookAtBasiq([ActivityTrigger] RemovalInput what, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(what);
        return StepAsync(what, () => what.ConnectionId is { } connectionId
            ? LookAtConnectionAsync(what.UserId, connectionId, cancellation)
            : LookAtUserAsync(client, what.UserId, cancellation));
    }

    /// <summary>Has Basiq remove what it holds of an active connection, which deleting the connection would leave.</summary>
    [Function(nameof(PurgeAtBasiq))]
    public Task<BasiqStep<ConnectionId>> PurgeAtBasiq([ActivityTrigger] RemovalInput what, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(what);
        var (userId, connectionId) = (what.UserId, what.ConnectionId!);
        return StepAsync(what, async () =>
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

            return connectionId;
        });
    }

    /// <summary>Has Basiq delete the user or the connection.</summary>
    [Function(nameof(DeleteAtBasiq))]
    public Task<BasiqStep<DeletedAtBasiq>> DeleteAtBasiq([ActivityTrigger] RemovalInput what, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(what);
        return StepAsync(what, async () =>
        {
            var unknown = what.ConnectionId is { } connectionId
                ? await DeleteConnectionAsync(what.UserId, connectionId, cancellation)
                : await DeleteUserAsync(what.UserId, cancellation);
            return new DeletedAtBasiq(unknown is null ? null : RemovalRefusal.From(unknown.Failure.ToProblem()));
        });
    }

    private static ProblemResult KeyInDoubt => Problem.Of(
        StatusCodes.Status502BadGateway,
        ProblemCodes.BasiqRefused,
        "Basiq does not know this user, nor any other that this service asked for: its API key may be another application's. Nothing was "
        + "removed; the service's operator must check the key.");

    private async Task<BasiqStep<T>> StepAsync<T>(RemovalInput what, Func<Task<T>> step)
        where T : class
    {
        try
        {
            return new BasiqStep<T>(await step());
        }
        catch (BasiqException e)
        {
            return Refused(RemovalRefusal.From(e.Failure.ToProblem()));
        }
        catch (ProblemException e)
        {
            return Refused(RemovalRefusal.From(e.Problem));
        }

        BasiqStep<T> Refused(RemovalRefusal refusal)
        {
            Log.RefusedAtBasiq(logger, what.UserId, refusal.Code);
            return new BasiqStep<T>(null, refusal);
        }
    }

    private async Task<FoundAtBasiq> LookAtConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellation)
    {
        var connection = await FindAsync(userId, connectionId, cancellation);

        // With another application's key Basiq does not know the connection either, nor the user.
        if (connection is null)
            await basiq.GetUserAsync(userId, cancellation);
        return new FoundAtBasiq(connection is { IsDeleted: false }, connection is { IsActive: true } ? [connectionId] : []);
    }

    private async Task<FoundAtBasiq> LookAtUserAsync(DurableTaskClient client, UserId userId, CancellationToken cancellation)
    {
        if (await key.ReadsAsync(userId, cancellation))
        {
            var connections = await basiq.ListConnectionsAsync(userId, cancellation).OrNullAsync() ?? [];
            return new FoundAtBasiq(true, [.. connections.Where(connection => connection.IsActive).Select(connection => connection.Id)]);
        }

        var hasAny = await HasAnyAsync(client, userId, cancellation);
        if (hasAny && !await key.ReadsAnyAsync(snapshots.EnumerateUsersAsync(cancellation).Where(other => other != userId), cancellation))
            throw new ProblemException(KeyInDoubt);
        return new FoundAtBasiq(hasAny, []);
    }

    /// <summary>Deletes a connection; gives what says that Basiq did not know it.</summary>
    private async Task<BasiqException?> DeleteConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellation)
    {
        var unknown = await basiq.DeleteConnectionAsync(userId, connectionId, cancellation).NotFoundAsync();
        if (unknown is not null && await FindAsync(userId, connectionId, cancellation) is { IsDeleted: false })
            throw unknown.Contradicted();
        if (unknown is not null)
            await basiq.GetUserAsync(userId, cancellation);
        Log.ConnectionRemoved(logger, connectionId, userId, unknown is null);
        return unknown;
    }

    /// <summary>Deletes a user; gives what says that Basiq did not know it.</summary>
    private async Task<BasiqException?> DeleteUserAsync(UserId userId, CancellationToken cancellation)
    {
        var unknown = await basiq.DeleteUserAsync(userId, cancellation).NotFoundAsync();
        if (unknown is not null && await key.ReadsAsync(userId, cancellation))
            throw unknown.Contradicted();
        Log.UserRemoved(logger, userId, unknown is null);
        return unknown;
    }

    private Task<Connection?> FindAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellation) =>
        basiq.GetConnectionAsync(userId, connectionId, cancellation).OrNullAsync();

    /// <summary>Whether anything of a user is kept, be it only that a sync ran.</summary>
    private async Task<bool> HasAnyAsync(DurableTaskClient client, UserId userId, CancellationToken cancellation)
    {
        try
        {
            return await snapshots.GetCurrentAsync(userId, cancellation) is not null || await syncs.AnyAsync(client, userId, cancellation);
        }
        catch (SnapshotCorruptException)
        {
            return true;
        }
    }
}
