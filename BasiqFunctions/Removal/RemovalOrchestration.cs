using System.Text.Json;
using BasiqFunctions.Platform.Notices;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace BasiqFunctions.Removal;

/// <summary>
/// The durable orchestration of a removal, first at Basiq, where that is asked for, and then here. What there is to remove is looked at before it
/// goes, and is in the history then: however often the process dies, the receipt counts what the first look found, and there is one.
/// </summary>
public static class RemovalOrchestration
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "RemoveData";

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(30);

    /// <summary>How long a step at Basiq is tried that who asked no longer waits for.</summary>
    private static readonly TimeSpan TriedAtBasiqFor = TimeSpan.FromDays(1);

    /// <summary>What breaks is storage, and comes back: tried for weeks.</summary>
    private static readonly TaskOptions Retry = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 1_000, firstRetryInterval: TimeSpan.FromSeconds(2), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromHours(1)));

    /// <summary>Removes, and gives the receipt, or why there is none.</summary>
    [Function(Name)]
    public static async Task<RemovalOutcome> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var what = context.GetInput<RemovalInput>()!;
        var (isReceiptDue, unknown, stopped) = (false, (RemovalRefusal?)null, 0);
        if (what.AtBasiq is not AtBasiq.Nothing)
        {
            try
            {
                (isReceiptDue, unknown, stopped) = await RemoveAtBasiqAsync(context, what);
            }
            catch (RefusedException refused)
            {
                return new RemovalOutcome(null, refused.Refusal);
            }
        }

        // What is fetched until Basiq has deleted it goes along.
        var step = new RemovalStep(what, Now(context));
        if (what.ConnectionId is null)
            stopped += await context.CallActivityAsync<int>(nameof(RemovalActivities.StopSyncs), step, Retry);
        var found = await context.CallActivityAsync<KeptCount>(nameof(RemovalActivities.CountKept), step, Retry);
        await UntilDoneAsync(context, nameof(RemovalActivities.RemoveSnapshots), step);
        await context.CallActivityAsync(nameof(RemovalActivities.RemoveRecords), step, Retry);
        var areForgotten = what.ConnectionId is not null || await context.CallActivityAsync<bool>(nameof(RemovalActivities.ForgetSyncs), step, Retry);
        DeletionReceipt? receipt = null;
        if (isReceiptDue || !found.IsNothing || stopped > 0)
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

        return new RemovalOutcome(receipt, receipt is null ? unknown : null);
    }

    /// <summary>
    /// Purges what is active and deletes the user or the connection. Gives whether a receipt is due, what says that Basiq did not know it, and how
    /// many syncs were stopped.
    /// </summary>
    private static async Task<(bool IsReceiptDue, RemovalRefusal? Unknown, int Stopped)> RemoveAtBasiqAsync(TaskOrchestrationContext context, RemovalInput what)
    {
        var found = await AskBasiqAsync<FoundAtBasiq>(context, nameof(BasiqRemovalActivities.LookAtBasiq), what);
        var stopped = what.ConnectionId is null
            ? await context.CallActivityAsync<int>(nameof(RemovalActivities.StopSyncs), new RemovalStep(what, Now(context)), Retry)
            : 0;
        var purged = 0;
        try
        {
            foreach (var connectionId in what.AtBasiq is AtBasiq.PurgeAndDelete ? found.ActiveConnections : [])
            {
                await AskBasiqAsync<ConnectionId>(context, nameof(BasiqRemovalActivities.PurgeAtBasiq), what with { ConnectionId = connectionId });
                purged++;
            }

            var deleted = await AskBasiqAsync<DeletedAtBasiq>(context, nameof(BasiqRemovalActivities.DeleteAtBasiq), what);
            return (found.IsReceiptDue || deleted.Unknown is null, deleted.Unknown, stopped);
        }
        catch (RefusedException refused) when (purged > 0)
        {
            throw new RefusedException(refused.Refusal.After(purged));
        }
    }

    /// <summary>Takes a step at Basiq. What Basiq refuses while somebody waits for the answer ends the removal; later it is tried again by itself.</summary>
    private static async Task<T> AskBasiqAsync<T>(TaskOrchestrationContext context, string activity, RemovalInput what)
        where T : class
    {
        var (begunAt, delay) = (Now(context), FirstDelay);
        while (true)
        {
            var step = await context.CallActivityAsync<BasiqStep<T>>(activity, what, Retry);
            if (step.Refusal is not { } refusal)
                return step.Value!;
            if (refusal.IsFinal || Now(context) <= what.AnswerBy || Now(context) > begunAt + TriedAtBasiqFor)
                throw new RefusedException(refusal);
            await context.CreateTimer(context.CurrentUtcDateTime + delay, CancellationToken.None);
            delay = Longer(delay);
        }
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
            delay = Longer(delay);
        }
    }

    private static TimeSpan Longer(TimeSpan delay) => delay * 2 < MaxDelay ? delay * 2 : MaxDelay;

    private static DateTimeOffset Now(TaskOrchestrationContext context) => new(context.CurrentUtcDateTime, TimeSpan.Zero);

    /// <summary>Basiq refused a step, and that is the end.</summary>
    private sealed class RefusedException(RemovalRefusal refusal) : Exception($"Basiq refused a removal ({refusal.Code}).")
    {
        public RemovalRefusal Refusal { get; } = refusal;
    }
}
