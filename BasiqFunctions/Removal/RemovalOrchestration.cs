using System.Text.Json;
using BasiqFunctions.Platform.Notices;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace BasiqFunctions.Removal;

/// <summary>
/// The durable orchestration of a removal. What there is to remove is counted before it goes, and is in the history then: however often
/// the process dies, the receipt counts what the first look found, and there is one.
/// </summary>
public static class RemovalOrchestration
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "RemoveData";

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(30);

    /// <summary>What breaks is storage, and comes back: tried for weeks.</summary>
    private static readonly TaskOptions Retry = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 1_000, firstRetryInterval: TimeSpan.FromSeconds(2), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromHours(1)));

    /// <summary>Removes, and gives the receipt; null when there was nothing to remove.</summary>
    [Function(Name)]
    public static async Task<DeletionReceipt?> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var what = context.GetInput<RemovalInput>()!;
        var step = new RemovalStep(what, new DateTimeOffset(context.CurrentUtcDateTime, TimeSpan.Zero));
        var stopped = what.SyncsStopped;
        if (what.ConnectionId is null)
            stopped += await context.CallActivityAsync<int>(nameof(RemovalActivities.StopSyncs), step, Retry);
        var found = await context.CallActivityAsync<KeptCount>(nameof(RemovalActivities.CountKept), step, Retry);
        await UntilDoneAsync(context, nameof(RemovalActivities.RemoveSnapshots), step);
        await context.CallActivityAsync(nameof(RemovalActivities.RemoveRecords), step, Retry);
        var areForgotten = what.ConnectionId is not null || await context.CallActivityAsync<bool>(nameof(RemovalActivities.ForgetSyncs), step, Retry);
        DeletionReceipt? receipt = null;
        if (what.Always || !found.IsNothing || stopped > 0)
        {
            receipt = await context.CallActivityAsync<DeletionReceipt>(
                nameof(RemovalActivities.WriteReceipt),
                new DeletionReceipt(
                    what.ReceiptId, what.UserId, what.Cause.Reason, what.Cause.ConsentId, what.ConnectionId, found.Accounts, found.Transactions,
                    found.Connections, stopped, step.BegunAt, step.BegunAt, found.Reports),
                Retry);
            await context.TellAsync([.. NoticesOf(receipt).Select(notice => context.Notice(notice.Type, notice.Data))]);
        }

        // The history of a sync that is slow to stop is still there.
        if (!areForgotten)
        {
            await UntilDoneAsync(context, nameof(RemovalActivities.ForgetSyncs), step);

            // What it noted of a connection when it ended at last.
            await context.CallActivityAsync(nameof(RemovalActivities.RemoveRecords), step, Retry);
        }

        return receipt;
    }

    /// <summary>What the team's backend is told: that data is gone, and why; and that the feed says so, where it is still there.</summary>
    private static IEnumerable<(string Type, NoticeData Data)> NoticesOf(DeletionReceipt receipt)
    {
        var reason = JsonNamingPolicy.KebabCaseLower.ConvertName($"{receipt.Reason}");
        if (receipt.ConnectionId is not null)
            yield return (NoticeTypes.DataChanged, new NoticeData(receipt.UserId));
        if (receipt.IsOfConsent)
            yield return (NoticeTypes.ConsentEnded, new NoticeData(receipt.UserId) { ConsentId = receipt.ConsentId, Reason = reason });
        yield return (
            NoticeTypes.DataRemoved,
            new NoticeData(receipt.UserId) { ConnectionId = receipt.ConnectionId, ConsentId = receipt.ConsentId, ReceiptId = receipt.ReceiptId, Reason = reason });
    }

    private static async Task UntilDoneAsync(TaskOrchestrationContext context, string activity, RemovalStep step)
    {
        var delay = FirstDelay;
        while (!await context.CallActivityAsync<bool>(activity, step, Retry))
        {
            await context.CreateTimer(context.CurrentUtcDateTime + delay, CancellationToken.None);
            delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
        }
    }
}
