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
        var isDue = always || found is not { Accounts: 0, Connections: 0, SyncsStopped: 0 }
            || await receipts.FindUnderWayAsync(userId, null, cancellation) is not null;
        var begun = isDue ? await BeginAsync(found, cancellation) : null;
        await snapshots.RemoveUserAsync(userId, cancellation);
        foreach (var other in others)
            await other.RemoveUserAsync(userId, cancellation);
        await syncs.ForgetAllAsync(client, userId, cancellation);
        return begun is null ? null : await EndAsync(begun, cancellation);
    }

    /// <summary>Removes what is kept of one connection, and leaves its other connections alone.</summary>
    /// <returns>The receipt; null when nothing was kept of the connection.</returns>
    public async Task<DeletionReceipt?> RemoveConnectionAsync(
        string userId, string connectionId, DeletionCause why, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(why);
        var found = await CountAsync(Begin(userId, connectionId, why), cancellation);
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
    /// Writes down what was found; null when another removal, which ended since it was counted, has a receipt of it already.
    /// </summary>
    private async Task<DeletionReceipt?> BeginAsync(DeletionReceipt found, CancellationToken cancellation)
    {
        var begun = await receipts.BeginAsync(found, cancellation);
        if (begun.ReceiptId != found.ReceiptId
            || !await receipts.HasEndedSinceAsync(found, cancellation)
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
        try
        {
            var accounts = (await snapshots.GetCurrentAsync(receipt.UserId, cancellation))?.Accounts
                .Where(account => receipt.ConnectionId is null || account.ConnectionId == receipt.ConnectionId).ToArray() ?? [];
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

    private async Task<DeletionReceipt> EndAsync(DeletionReceipt begun, CancellationToken cancellation)
    {
        var receipt = await receipts.CompleteAsync(begun, cancellation);
        instruments.DataRemoved(receipt.Reason);
        Log.DataRemoved(logger, receipt.UserId, receipt.Reason, receipt.Accounts, receipt.Transactions);
        return receipt;
    }
}
