using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Notifications;

/// <summary>
/// The durable orchestration of what one receiver is told of one user: message after message, each as often as it takes, so that their
/// order holds, and a receiver that fails holds up nobody else. Its history has ids and words of this app alone.
/// </summary>
public static class DeliveryOrchestration
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "DeliverNotifications";

    /// <summary>Has the message that waits be tried now.</summary>
    internal const string WakeEvent = "Wake";

    /// <summary>What the ids of its instances begin with.</summary>
    internal const string Prefix = "deliver-";

    /// <summary>After so many activities it goes on with a history of its own.</summary>
    private const int MostSteps = 50;

    /// <summary>What breaks is storage, and comes back: tried for weeks.</summary>
    private static readonly TaskOptions Retry = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 1_000, firstRetryInterval: TimeSpan.FromSeconds(2), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromHours(1)));

    /// <summary>Starts it, unless it has been started. Its id is given to one that ends once.</summary>
    internal static async Task StartAsync(DurableTaskClient client, string instanceId, DeliveryInput input, CancellationToken cancellation)
    {
        if (await client.GetInstanceAsync(instanceId, cancellation) is { IsCompleted: false })
            return;
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(Name, input, new StartOrchestrationOptions(instanceId), cancellation);
        }
#pragma warning disable CA1031 // Hosts say 'there is one already' with exceptions of their own: whether there is one decides.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            if (await client.GetInstanceAsync(instanceId, cancellation) is not { IsCompleted: false })
                throw;
        }
    }

    /// <summary>Delivers until there is nothing left.</summary>
    [Function(Name)]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var input = context.GetInput<DeliveryInput>()!;
        var wake = context.WaitForExternalEvent<object?>(WakeEvent);
        for (var steps = 0; ; steps++)
        {
            if (steps == MostSteps)
            {
                context.ContinueAsNew(input);
                return;
            }

            var delivered = await context.CallActivityAsync<DeliveryStep>(nameof(DeliveryActivities.Deliver), new DeliveryTurn(input.Receiver, input.UserId, context.InstanceId), Retry);
            if (delivered.IsEmpty)
                return;
            if (delivered.NextAt is not { } next)
                continue;
            using var wait = new CancellationTokenSource();
            var until = delivered.Wait is { } left ? context.CurrentUtcDateTime + left : next.UtcDateTime;
            await Task.WhenAny(context.CreateTimer(until, wait.Token), wake);
            wait.Cancel();
            if (wake.IsCompleted)
                wake = context.WaitForExternalEvent<object?>(WakeEvent);
        }
    }
}

/// <summary>What the orchestration of deliveries is started with.</summary>
/// <param name="Receiver">The subscription, or another way out.</param>
/// <param name="UserId">The user whom the messages are about.</param>
public sealed record DeliveryInput(string Receiver, UserId UserId);

/// <summary>What an activity of deliveries is given.</summary>
/// <param name="Receiver">The subscription, or another way out.</param>
/// <param name="UserId">The user whom the messages are about.</param>
/// <param name="InstanceId">The orchestration on whose behalf it delivers.</param>
public sealed record DeliveryTurn(string Receiver, UserId UserId, string InstanceId);

/// <summary>How far an activity has come.</summary>
/// <param name="IsEmpty">Whether there is nothing left.</param>
/// <param name="NextAt">When to go on; null for at once.</param>
/// <param name="Wait">How long that is: an orchestration's clock need not be the activity's. Null in histories of before it was told.</param>
public sealed record DeliveryStep(bool IsEmpty, DateTimeOffset? NextAt = null, TimeSpan? Wait = null);
