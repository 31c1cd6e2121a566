using BasiqFunctions.Snapshots;
using BasiqFunctions.Sync;
using BasiqFunctions.Telemetry;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Consents;

/// <summary>
/// Removes what this app keeps of users, and leaves a receipt. Every step may be done again: whoever calls once more finishes what an
/// interruption left, and the receipt counts what the first attempt found.
/// </summary>
public sealed class DataRemoval(
    Syncs syncs,
    SnapshotStore snapshots,
    IEnumerable<IKeptOfUser> others,
    DeletionReceipts receipts,
    Instruments instruments,
    TimeProvider clock,
    ILogger<DataRemoval> logger)
{
    /// <summary>
    /// Stops the user's syncs and removes everything that is kept of the user: snapshots, what syncs staged, answers kept for
    /// repetitions, histories.
    /// </summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user, already validated as an id.</param>
    /// <param name="why">Why, and under which consent.</param>
    /// <param name="cancellation">Stops it half-way; another call goes on.</param>
    /// <param name="syncsStopped">Syncs that the caller has stopped already.</param>
    /// <param name="always">Whether a receipt is due even when nothing was kept.</param>
    /// <returns>The receipt; null when there was nothing to remove.</returns>
    public async Task<DeletionReceipt?> RemoveUserAsync(
        DurableTaskClient client,
        string userId,
        DeletionCause why,
        CancellationToken cancellation,
        int syncsStopped = 0,
        bool always = false)
    {
        ArgumentNullException.ThrowIfNull(why);
        var found = Begin(userId, null, why) with { SyncsStopped = syncsStopped + await syncs.StopAllAsync(client, userId, cancellation) };
        found = await CountAsync(found, cancellation);
        await EndReplacedAsync(userId, null, cancellation);
        var isDue = always || found is not { Accounts: 0, Connections: 0, SyncsStopped: 0 }
            || await receipts.FindUnderWayAsync(userId, null, cancellation) is not null;
        var begun = isDue ? await BeginAsync(found, cancellation) : null;
        await snapshots.RemoveUserAsync(userId, cancellation);
        foreach (var other in others)
            await other.RemoveUserAsync(userId, cancellation);
        await syncs.ForgetAllAsync(client, userId, cancellation);
        var receipt = begun is null ? null : await EndAsync(begun, cancellation);

        // The history of a sync that is slow to stop is still there.
        if (await syncs.AnyAsync(client, userId, cancellation))
            await receipts.NoteUnfinishedAsync(userId, cancellation);
        else
            await receipts.SettleAsync(userId, cancellation);
        return receipt;
    }

    /// <summary>Removes what is kept of one connection, and leaves its other connections alone.</summary>
    /// <returns>The receipt; null when nothing was kept of the connection.</returns>
    public async Task<DeletionReceipt?> RemoveConnectionAsync(
        string userId, string connectionId, DeletionCause why, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(why);
        var found = await CountAsync(Begin(userId, connectionId, why), cancellation);
        await EndReplacedAsync(userId, connectionId, cancellation);
        var isDue = found is not { Accounts: 0, Connections: 0 }
            || await receipts.FindUnderWayAsync(userId, connectionId, cancellation) is not null;
        var begun = isDue ? await BeginAsync(found, cancellation) : null;
        var hadAny = await snapshots.RemoveConnectionAsync(userId, connectionId, cancellation);
        foreach (var other in others)
            await other.RemoveConnectionAsync(userId, connectionId, cancellation);

        // A connection without accounts is not counted and yet was kept: the snapshot knew of it.
        begun ??= hadAny ? await receipts.BeginAsync(found with { Connections = 1 }, cancellation) : null;
        return begun is null ? null : await EndAsync(begun, cancellation);
    }

    /// <summary>
    /// Goes on with the removal of everything of a user that has begun, or whose syncs were slow to stop, unless something was fetched
    /// since; else with what <see cref="FinishAsync(DurableTaskClient, string, CancellationToken)"/> finds.
    /// </summary>
    internal async Task<IReadOnlyList<DeletionReceipt>> ResumeAsync(DurableTaskClient client, string userId, CancellationToken cancellation)
    {
        if (!await receipts.IsUnfinishedAsync(userId, cancellation))
            return [];
        if (await receipts.FindLastOfUserAsync(userId, cancellation) is not { } begun || await IsFetchedSinceAsync(begun, cancellation))
            return await FinishAsync(client, userId, cancellation);
        var receipt = await RemoveUserAsync(client, userId, new DeletionCause(begun.Reason, begun.ConsentId), cancellation);
        return receipt is null ? [] : [receipt];
    }

    /// <summary>
    /// Finishes the removals that an interruption left under way, of a user who has a consent again: what was fetched since they
    /// were counted stays. While a sync of the user runs they are left to the next pass.
    /// </summary>
    internal async Task<IReadOnlyList<DeletionReceipt>> FinishAsync(DurableTaskClient client, string userId, CancellationToken cancellation)
    {
        if (!await receipts.IsUnfinishedAsync(userId, cancellation) || await syncs.AnyRunningAsync(client, userId, cancellation))
            return [];
        List<DeletionReceipt> finished = [];
        foreach (var begun in await receipts.ListUnderWayAsync(userId, cancellation))
        {
            if (await FinishAsync(client, begun, cancellation) is { } receipt)
                finished.Add(receipt);
        }

        await receipts.SettleAsync(userId, cancellation);
        return finished;
    }

    private async Task<DeletionReceipt?> FinishAsync(DurableTaskClient client, DeletionReceipt begun, CancellationToken cancellation)
    {
        var why = new DeletionCause(begun.Reason, begun.ConsentId);
        var accounts = await AccountsOfAsync(begun, cancellation);
        if (!accounts.Any(account => IsNewerThan(begun, account)))
        {
            return begun.ConnectionId is { } connectionId
                ? await RemoveConnectionAsync(begun.UserId, connectionId, why, cancellation)
                : await RemoveUserAsync(client, begun.UserId, why, cancellation);
        }

        foreach (var connection in accounts.GroupBy(account => account.ConnectionId))
        {
            if (!connection.Any(account => IsNewerThan(begun, account)))
                await snapshots.RemoveConnectionAsync(begun.UserId, connection.Key, cancellation);
        }

        if (begun.ConnectionId is null)
        {
            foreach (var other in others)
                await other.RemoveUserAsync(begun.UserId, cancellation);
        }

        return await EndAsync(begun, cancellation);
    }

    /// <summary>
    /// Ends a removal under way whose data has been fetched anew since: what goes now is another removal, with a cause and a count of
    /// its own.
    /// </summary>
    private async Task EndReplacedAsync(string userId, string? connectionId, CancellationToken cancellation)
    {
        if (await receipts.FindUnderWayAsync(userId, connectionId, cancellation) is { } earlier
            && await IsFetchedSinceAsync(earlier, cancellation))
            await EndAsync(earlier, cancellation);
    }

    /// <summary>Whether something of what a removal was about has been fetched anew since it was counted.</summary>
    private async Task<bool> IsFetchedSinceAsync(DeletionReceipt begun, CancellationToken cancellation)
    {
        try
        {
            return (await AccountsOfAsync(begun, cancellation)).Any(account => IsNewerThan(begun, account));
        }
        catch (SnapshotCorruptException)
        {
            // Nobody can read what it holds: it counts as what the removal was about.
            return false;
        }
    }

    /// <summary>
    /// Writes down what was found; null when another removal, which ended since it was counted, has a receipt of it already.
    /// </summary>
    private async Task<DeletionReceipt?> BeginAsync(DeletionReceipt found, CancellationToken cancellation)
    {
        var begun = await receipts.BeginAsync(found, cancellation);
        if (!await receipts.HasEndedSinceAsync(begun, cancellation)
            || await CountAsync(found, cancellation) is not { Accounts: 0 })
            return begun;
        await receipts.DropAsync(begun, cancellation);
        return null;
    }

    private DeletionReceipt Begin(string userId, string? connectionId, DeletionCause why)
    {
        var now = clock.GetUtcNow();
        return new DeletionReceipt(Guid.NewGuid().ToString("N"), userId, why.Reason, why.ConsentId, connectionId, 0, 0, 0, 0, now, now);
    }

    private async Task<DeletionReceipt> CountAsync(DeletionReceipt receipt, CancellationToken cancellation)
    {
        receipt = receipt with { RemovedAt = clock.GetUtcNow() };
        try
        {
            var accounts = await AccountsOfAsync(receipt, cancellation);
            return receipt with
            {
                Accounts = accounts.Length,
                Transactions = accounts.Sum(account => account.Transactions ?? 0),
                Connections = accounts.Select(account => account.ConnectionId).Distinct().Count(),
            };
        }
        catch (SnapshotCorruptException)
        {
            return receipt with { Accounts = null, Transactions = null, Connections = null };
        }
    }

    /// <summary>The accounts that a removal is about.</summary>
    private async Task<SnapshotAccount[]> AccountsOfAsync(DeletionReceipt receipt, CancellationToken cancellation) =>
        (await snapshots.GetCurrentAsync(receipt.UserId, cancellation))?.Accounts
            .Where(account => receipt.ConnectionId is null || account.ConnectionId == receipt.ConnectionId).ToArray() ?? [];

    /// <summary>Whether an account was fetched after the removal counted what was there, so that it is none of it.</summary>
    private static bool IsNewerThan(DeletionReceipt begun, SnapshotAccount account) => account.FetchedAt > begun.RemovedAt;

    private async Task<DeletionReceipt> EndAsync(DeletionReceipt begun, CancellationToken cancellation)
    {
        var receipt = await receipts.CompleteAsync(begun, cancellation);
        instruments.DataRemoved(receipt.Reason);
        Log.DataRemoved(logger, receipt.UserId, receipt.Reason, receipt.Accounts, receipt.Transactions);
        return receipt;
    }
}
