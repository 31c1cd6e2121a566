using BasiqFunctions.Sync;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace BasiqFunctions.Webhooks;

/// <summary>The durable orchestration of one event: has it handled, and again while that fails for the moment or is not complete.</summary>
public static class EventOrchestration
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "HandleEvent";

    /// <summary>More than a day in all, with the waits between them.</summary>
    private const int MaxAttempts = 36;

    /// <summary>An event that Basiq does not list yet may come; one that it never lists is of no use.</summary>
    private const int MaxAttemptsToFind = 4;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromHours(1);

    /// <summary>For what breaks on our side, such as storage that is out of reach.</summary>
    private static readonly TaskOptions RetryFaults = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 10, firstRetryInterval: TimeSpan.FromSeconds(2), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromHours(1)));

    /// <summary>The id of an event's orchestration.</summary>
    public static string InstanceIdFor(string eventId) => $"event-{eventId}";

    /// <summary>Has the event handled.</summary>
    [Function(Name)]
    public static async Task<EventHandled?> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var input = context.GetInput<EventInput>()!;
        var delay = FirstDelay;
        for (var attempt = 1; ; attempt++)
        {
            var isLast = attempt == MaxAttempts;
            var outcome = await context.CallActivityAsync<Outcome<EventHandled>>(
                nameof(EventActivities.ActOnEvent), input, RetryFaults);
            if (outcome.Value is { IsComplete: true } || isLast)
                return outcome.Value;
            if (outcome.Failure is { IsTransient: false } failure && !(failure.IsNotFound && attempt < MaxAttemptsToFind))
                return null;

            // What keeps it waiting, for whoever looks.
            context.SetCustomStatus(outcome.Failure?.Code);
            var asked = TimeSpan.FromSeconds(outcome.Failure?.RetryAfterSeconds ?? 0);
            await context.CreateTimer(context.CurrentUtcDateTime + (asked > delay ? asked : delay), CancellationToken.None);
            delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
        }
    }
}
