using System.Text.Json;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Sync;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

/// <summary>The steps of a removal. Each may run again, and then finishes what an interruption left.</summary>
public sealed class RemovalActivities(
    Syncs syncs,
    SnapshotReader snapshots,
    SnapshotRemoval storedData,
    IEnumerable<IUserRecords> others,
    IKeptReports reports,
    DeletionReceipts receipts,
    DueWork due,
    IOptions<ChangeOptions> changes,
    Instruments instruments,
    TimeProvider clock,
    ILogger<RemovalActivities> logger)
{
    /// <summary>Stops the user's syncs, and gives how many those were.</summary>
    [Function(nameof(StopSyncs))]
    public Task<int> StopSyncs([ActivityTrigger] RemovalStep step, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(step);
        return syncs.StopAllAsync(client, step.What.UserId, cancellation);
    }

    /// <summary>Counts what there is to remove.</summary>
    [Function(nameof(CountKept))]
    public async Task<KeptCount> CountKept([ActivityTrigger] RemovalStep step, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(step);
        var (userId, connectionId) = (step.What.UserId, step.What.ConnectionId);
        var keptReports = await reports.CountAsync(userId, connectionId, step.BegunAt, cancellation);
        try
        {
            var accounts = (await snapshots.GetCurrentAsync(userId, cancellation))?.Accounts
                .Where(account => connectionId is null || account.ConnectionId == connectionId).ToArray() ?? [];
            var connections = accounts.Select(account => account.ConnectionId).Distinct().Count();

            // A connection without accounts was kept as well: the snapshot knows of it.
            if (connectionId is not null && connections == 0 && (await snapshots.ListStartsAsync(userId, cancellation)).ContainsKey(connectionId))
                connections = 1;
            return new KeptCount(accounts.Length, accounts.Sum(account => account.Transactions ?? 0), connections, keptReports);
        }
        catch (SnapshotCorruptException)
        {
            return new KeptCount(null, null, null, keptReports);
        }
    }

    /// <summary>
    /// Removes the snapshots, and what syncs staged. What was fetched by a sync that started after the removal began stays: a bank was
    /// connected again, or a new consent given, while the removal was interrupted. False while such a sync is still running, and when something
    /// was written meanwhile: whose it is, the next try finds out.
    /// </summary>
    [Function(nameof(RemoveSnapshots))]
    public async Task<bool> RemoveSnapshots([ActivityTrigger] RemovalStep step, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(step);
        var (userId, connectionId) = (step.What.UserId, step.What.ConnectionId);
        if (connectionId is null && await syncs.AnyRunningSinceAsync(client, userId, step.BegunAt, cancellation))
            return false;
        var (anew, earlier) = await ConnectionsAsync(step, cancellation);

        // What tells the team of what goes with a connection goes later, also of a user to whom nothing else happens.
        if (connectionId is not null || anew.Count > 0)
            await due.SetAsync(userId, cancellation, (DueKinds.Leftover, clock.GetUtcNow() + changes.Value.KeepFor));
        if (connectionId is not null)
        {
            if (!anew.Contains(connectionId))
                await storedData.RemoveConnectionAsync(userId, connectionId, step.BegunAt, cancellation);
        }
        else if (anew.Count == 0)
        {
            return await storedData.RemoveUserAsync(userId, cancellation);
        }
        else
        {
            foreach (var connection in earlier)
                await storedData.RemoveConnectionAsync(userId, connection, step.BegunAt, cancellation);
        }

        return true;
    }

    /// <summary>Removes what else is kept: answers for repetitions, notes, warnings, reports, and what is due of the user.</summary>
    [Function(nameof(RemoveRecords))]
    public async Task RemoveRecords([ActivityTrigger] RemovalStep step, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(step);
        foreach (var other in others)
        {
            await (step.What.ConnectionId is { } connectionId
                ? other.RemoveConnectionAsync(step.What.UserId, connectionId, cancellation)
                : other.RemoveUserAsync(step.What.UserId, cancellation));
        }

        if (step.What.ConnectionId is null)
            await due.RemoveUserAsync(step.What.UserId, cancellation);

        // After what was due, since what stays is due again.
        await reports.RemoveAsync(step.What.UserId, step.What.ConnectionId, step.BegunAt, cancellation);
        if (step.What.ConnectionId is not null)
            return;

        // A sync that began meanwhile may have relied on what was just taken out.
        if (await syncs.AnyRunningSinceAsync(client, step.What.UserId, step.BegunAt, cancellation) || (await ConnectionsAsync(step, cancellation)).Anew.Count > 0)
            await due.SetAllAsync(step.What.UserId, cancellation);
    }

    /// <summary>Forgets the histories of the user's syncs; false while one is slow to stop.</summary>
    [Function(nameof(ForgetSyncs))]
    public Task<bool> ForgetSyncs([ActivityTrigger] RemovalStep step, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(step);
        return syncs.ForgetAllAsync(client, step.What.UserId, step.BegunAt, cancellation);
    }

    /// <summary>Writes the receipt. Done twice, the first counts.</summary>
    [Function(nameof(WriteReceipt))]
    public async Task<DeletionReceipt> WriteReceipt([ActivityTrigger] DeletionReceipt receipt, CancellationToken cancellation)
    {
        receipt = await receipts.AddAsync(receipt, cancellation);
        instruments.DataRemoved(JsonNamingPolicy.KebabCaseLower.ConvertName($"{receipt.Reason}"));
        Log.DataRemoved(logger, receipt.UserId, receipt.Reason, receipt.Accounts, receipt.Transactions);
        return receipt;
    }

    /// <summary>The connections fetched by syncs that started since the removal began, and the others.</summary>
    private async Task<(IReadOnlyCollection<ConnectionId> Anew, IReadOnlyCollection<ConnectionId> Earlier)> ConnectionsAsync(RemovalStep step, CancellationToken cancellation)
    {
        try
        {
            var starts = await snapshots.ListStartsAsync(step.What.UserId, cancellation);

            // A start that has still to come was dated before the clock was set back.
            var now = clock.GetUtcNow();
            var anew = starts.Where(start => start.Value > step.BegunAt && start.Value <= now).Select(start => start.Key).ToHashSet();
            return (anew, [.. starts.Keys.Except(anew)]);
        }
        catch (SnapshotCorruptException)
        {
            // Nobody can read what it holds: it counts as what the removal is about.
            return ([], []);
        }
    }
}
