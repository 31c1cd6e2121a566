using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Data;

/// <summary>What the functions that read snapshots have in common: how they say that there is nothing, or that it is damaged.</summary>
internal sealed class SnapshotAnswers(SnapshotReader snapshots, DamagedAccounts damaged, IRemovalHistory removals, Instruments instruments, ILogger logger)
{
    /// <summary>Nothing yet, or nothing any more; but for an account without transactions in a snapshot that is newer than that.</summary>
    public async Task<ProblemResult> NoSnapshotAsync(UserId userId, CancellationToken cancellationToken) =>
        await snapshots.GetCurrentAsync(userId, cancellationToken) is null
        && await removals.HasConsentEndedAsync(userId, cancellationToken)
            ? Problem.NotFound(
                ProblemCodes.ConsentEnded,
                "The user's consent has ended, and what had been fetched is gone: see the deletion receipts, and ask for a new consent.")
            : Problem.NotFound(
                ProblemCodes.NoSnapshot, "Nothing is kept of this user or account: a sync fetches it.");

    /// <summary>That there are no transactions of what was asked for.</summary>
    public async Task<ProblemResult> NothingAsync(UserId userId, TransactionsResult result, CancellationToken cancellationToken) => result switch
    {
        TransactionsResult.NoSnapshot => await NoSnapshotAsync(userId, cancellationToken),
        TransactionsResult.AccountNotFound => Problem.NotFound(ProblemCodes.AccountNotFound, "The user's current snapshot has no such account."),
        TransactionsResult.ConnectionNotFound =>
            Problem.NotFound(ProblemCodes.ConnectionNotFound, "The user's current snapshot has no account of such a connection."),
        _ => throw new InvalidOperationException($"No answer for {result.GetType().Name}."),
    };

    /// <summary>Runs a function's work, and answers with a problem where what is stored is damaged.</summary>
    public async Task<IResult> ReadAsync(UserId userId, Func<UserId, Task<IResult>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await read(userId);
        }
        catch (SnapshotCorruptException e) when (e is not SnapshotFromLaterVersionException)
        {
            await NoteDamageAsync(userId, e, cancellationToken);
            return Problem.Of(
                StatusCodes.Status500InternalServerError, ProblemCodes.SnapshotDamaged, "What is stored cannot be read: start a new sync.");
        }
    }

    /// <summary>Tells of damage, and has the next sync mend it.</summary>
    public async Task NoteDamageAsync(UserId userId, SnapshotCorruptException damage, CancellationToken cancellationToken)
    {
        instruments.Damaged("snapshots");
        Log.Damaged(logger, damage, userId);
        await damaged.NoteAsync(userId, damage, cancellationToken);
    }
}

/// <summary>Knows why nothing is kept of a user any more.</summary>
public interface IRemovalHistory
{
    /// <summary>Whether all that was kept of a user went, the last time that it did, since a consent had ended.</summary>
    Task<bool> HasConsentEndedAsync(UserId userId, CancellationToken cancellation);
}
