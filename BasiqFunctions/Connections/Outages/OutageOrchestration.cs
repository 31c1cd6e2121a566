using BasiqFunctions.Platform.Notices;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace BasiqFunctions.Connections.Outages;

/// <summary>
/// The durable orchestration of an outage: one watches a bank for all who are affected, tells each of them once that the bank is away, and once
/// that it is back.
/// </summary>
public static class OutageOrchestration
{
    /// <summary>Its name.</summary>
    public const string Name = "WatchOutage";

    /// <summary>What the ids of all begin with.</summary>
    internal const string Prefix = "outage-";

    /// <summary>Event that ends a wait early, because somebody else is affected.</summary>
    internal const string AffectedEvent = "Affected";

    private const int MostLooks = 50;

    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    private static readonly TaskOptions Retry = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 1_000, firstRetryInterval: TimeSpan.FromSeconds(2), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromHours(1)));

    /// <summary>The id of the watch of a bank.</summary>
    internal static string InstanceIdFor(BankWay bank) => Prefix + bank.Key;

    /// <summary>Watches until the outage is over.</summary>
    [Function(Name)]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var bank = context.GetInput<BankWay>()!;
        var affected = context.WaitForExternalEvent<object?>(AffectedEvent);
        for (var looks = 0; ; looks++)
        {
            await TellAsync(context, bank, isOver: false);
            if (await context.CallActivityAsync<bool>(nameof(OutageActivities.IsOutageOver), bank, Retry))
            {
                await TellAsync(context, bank, isOver: true);
                return;
            }

            if (looks == MostLooks)
            {
                context.ContinueAsNew(bank, preserveUnprocessedEvents: true);
                return;
            }

            using var wait = new CancellationTokenSource();
            await Task.WhenAny(context.CreateTimer(context.CurrentUtcDateTime + Every, wait.Token), affected);
            wait.Cancel();
            if (affected.IsCompleted)
                affected = context.WaitForExternalEvent<object?>(AffectedEvent);
        }
    }

    private static async Task TellAsync(TaskOrchestrationContext context, BankWay bank, bool isOver)
    {
        while (await context.CallActivityAsync<IReadOnlyList<AffectedConnection>>(nameof(OutageActivities.ListAffected), new OutageStep(bank, isOver, []), Retry) is { Count: > 0 } some)
        {
            await context.TellAsync([.. some.Where(connection => isOver == connection.IsTold).Select(connection => Notice(context, connection, isOver))]);
            await context.CallActivityAsync(nameof(OutageActivities.NoteTold), new OutageStep(bank, isOver, some), Retry);
        }
    }

    private static Notice Notice(TaskOrchestrationContext context, AffectedConnection connection, bool isOver) => context.Notice(
        isOver ? NoticeTypes.ConnectionRecovered : NoticeTypes.ConnectionAttention,
        new NoticeData(connection.UserId) { ConnectionId = connection.ConnectionId, NextAction = isOver ? null : "wait-for-bank" }) with
    {
        OnlyIfNews = true,
    };
}

/// <summary>What an activity of a watch is given.</summary>
/// <param name="Bank">The bank.</param>
/// <param name="IsOver">Whether its outage is over.</param>
/// <param name="Told">Who has been told.</param>
public sealed record OutageStep(BankWay Bank, bool IsOver, IReadOnlyList<AffectedConnection> Told);
