using BasiqFunctions.Basiq;
using BasiqFunctions.Sync;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace BasiqFunctions.Webhooks;

/// <summary>
/// The durable orchestration of one event: has it handled, and again while waiting may help or it is not complete. An event that it
/// gives up is handed back, for <see cref="ReconcileEvents"/> to have it tried again.
/// </summary>
public static class EventOrchestration
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "HandleEvent";

    /// <summary>More than a day in all, with the waits between them.</summary>
    private const int MaxAttempts = 36;

    /// <summary>Within which an event that Basiq tells of can be expected to be found; what it is about may be gone, too.</summary>
    private static readonly TimeSpan TimeToAppear = TimeSpan.FromHours(6);

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromHours(1);

    /// <summary>For what breaks on our side, such as storage that is out of reach.</summary>
    private static readonly TaskOptions RetryFaults = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 10, firstRetryInterval: TimeSpan.FromSeconds(2), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromHours(1)));

    /// <summary>For the one step without which an event would be lost: a week.</summary>
    private static readonly TaskOptions RetryHandingBack = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 175, firstRetryInterval: TimeSpan.FromSeconds(2), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromHours(1)));

    /// <summary>The id of an event's orchestration.</summary>
    public static string InstanceIdFor(string eventId) => $"event-{eventId}";

    /// <summary>Has the event handled. Null when it was given up for now.</summary>
    [Function(Name)]
    public static async Task<EventHandled?> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var input = context.GetInput<EventInput>()!;
        var takenAt = input.FirstTakenAt ?? new DateTimeOffset(context.CurrentUtcDateTime, TimeSpan.Zero);
        var delay = FirstDelay;
        for (var attempt = 1; ; attempt++)
        {
            var outcome = await ActAsync(context, input);
            if (outcome.Value is { IsComplete: true })
                return outcome.Value;

            // What keeps it waiting, or had it given up, for whoever looks.
            context.SetCustomStatus(outcome.Failure?.Code);
            var age = context.CurrentUtcDateTime - takenAt.UtcDateTime;
            if (attempt == MaxAttempts || (outcome.Failure is { } failure && !MayPass(failure, age)))
                break;
            var asked = TimeSpan.FromSeconds(outcome.Failure?.RetryAfterSeconds ?? 0);
            await context.CreateTimer(context.CurrentUtcDateTime + (asked > delay ? asked : delay), CancellationToken.None);
            delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
        }

        await context.CallActivityAsync(
            nameof(EventActivities.HandEventBack), input with { FirstTakenAt = takenAt }, RetryHandingBack);
        return null;
    }

    private static async Task<Outcome<EventHandled>> ActAsync(TaskOrchestrationContext context, EventInput input)
    {
        try
        {
            return await context.CallActivityAsync<Outcome<EventHandled>>(nameof(EventActivities.ActOnEvent), input, RetryFaults);
        }
        catch (TaskFailedException)
        {
            // It was repeated for hours already.
            return new Outcome<EventHandled>(null, new UpstreamFailure(nameof(BasiqFailureKind.Other), "internal-error", IsTransient: false));
        }
    }

    /// <summary>
    /// Whether to wait within this run. A permission that the API key lacks is given sooner or later, and an event that Basiq does not
    /// have yet may come; what else does not pass takes a change to this app or to Basiq.
    /// </summary>
    private static bool MayPass(UpstreamFailure failure, TimeSpan age) =>
        failure.MayPass
        || failure.Kind is nameof(BasiqFailureKind.Forbidden)
        || (failure.IsNotFound && age < TimeToAppear);
}
