using System.Diagnostics.CodeAnalysis;
using BasiqFunctions.Snapshots;
using BasiqFunctions.Telemetry;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>
/// Looks after everybody of whom a snapshot is kept, whether or not Basiq ever told of an end: asks how their consents stand, and
/// removes what has to go. Those of whom a removal has begun and not ended come first, with or without a snapshot; the others
/// follow in turn, where a pass that was cut short left off.
/// </summary>
public sealed class Retention(
    SnapshotStore snapshots,
    ConsentEnd end,
    DataRemoval removal,
    DeletionReceipts receipts,
    RetentionProgress progress,
    IOptions<SnapshotOptions> options,
    Instruments instruments,
    TimeProvider clock,
    ILogger<Retention> logger)
{
    /// <summary>Users looked after at once: nobody waits for this, and Basiq has others to serve.</summary>
    private const int AtATime = 4;

    /// <summary>Users between two notes of how far a pass has come: so many at most are looked after twice when it is cut short.</summary>
    private const int BetweenNotes = 32;

    /// <summary>
    /// Looks after all of them. What fails with one does not keep the others waiting: it is logged and counted, and the next pass
    /// tries again.
    /// </summary>
    /// <returns>How many users were looked after, of how many data went, and with how many it failed.</returns>
    public async Task<RetentionPass> RunAsync(DurableTaskClient client, CancellationToken cancellation)
    {
        var unfinished = await receipts.ListUnfinishedAsync(cancellation);
        var pass = await LookAfterAsync(client, unfinished, cancellation);
        var others = (await snapshots.ListUsersAsync(cancellation)).Except(unfinished);
        foreach (var some in (await progress.OrderAsync(others, cancellation)).Chunk(BetweenNotes))
        {
            var part = await LookAfterAsync(client, some, cancellation);
            pass = new RetentionPass(pass.Users + part.Users, pass.Removed + part.Removed, pass.Failed + part.Failed);
            await progress.NoteAsync(some[^1], cancellation);
        }

        Log.RetentionEnforced(logger, pass.Users, pass.Removed, pass.Failed);
        return pass;
    }

    private async Task<RetentionPass> LookAfterAsync(DurableTaskClient client, IReadOnlyCollection<string> users, CancellationToken cancellation)
    {
        var (removed, failed) = (0, 0);
        await Parallel.ForEachAsync(
            users,
            new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellation },
            async (userId, token) =>
            {
                switch (await LookAfterAsync(client, userId, token))
                {
                    case true:
                        Interlocked.Increment(ref removed);
                        break;
                    case null:
                        Interlocked.Increment(ref failed);
                        break;
                }
            });
        return new RetentionPass(users.Count, removed, failed);
    }

    /// <summary>Whether data of the user went; null when that failed.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong with one user must not keep the others' data.")]
    private async Task<bool?> LookAfterAsync(DurableTaskClient client, string userId, CancellationToken cancellation)
    {
        try
        {
            var tooOld = new DeletionCause(DeletionReason.Retention);
            var snapshot = await FindSnapshotAsync(userId, cancellation);
            if (snapshot is not null && IsTooOld(snapshot.FetchedAt))
                return await removal.RemoveUserAsync(client, userId, tooOld, cancellation) is not null;

            // A connection that is not fetched any more does not stay because another one is.
            var isAnyRemoved = false;
            foreach (var connection in (snapshot?.Accounts ?? []).GroupBy(account => account.ConnectionId))
            {
                if (connection.All(account => IsTooOld(account.FetchedAt)))
                    isAnyRemoved |= await removal.RemoveConnectionAsync(userId, connection.Key, tooOld, cancellation) is not null;
            }

            return (await end.RunAsync(client, userId, null, cancellation)).Receipts.Count > 0 || isAnyRemoved;
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            instruments.RetentionFailed();
            Log.RetentionFailed(logger, userId, e.GetType().Name);
            return null;
        }
    }

    private bool IsTooOld(DateTimeOffset fetchedAt) => fetchedAt + options.Value.MaxAge <= clock.GetUtcNow();

    private async Task<CurrentSnapshot?> FindSnapshotAsync(string userId, CancellationToken cancellation)
    {
        try
        {
            return await snapshots.GetCurrentAsync(userId, cancellation);
        }
        catch (SnapshotCorruptException)
        {
            // Nobody can read how old it is. It goes with the consent, as any other.
            return null;
        }
    }
}
