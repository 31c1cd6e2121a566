using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Sync;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Webhooks;

/// <summary>
/// The durable orchestration of one event, however it arrives: a webhook, a repetition of it, or the daily look at what may have been
/// missed. It has the event handled, and again for as long as Basiq lists it. Its history holds ids and words of this app alone.
/// </summary>
public static class EventOrchestration
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "HandleEvent";

    /// <summary>What the ids of its instances begin with.</summary>
    internal const string Prefix = "event-";

    /// <summary>How long Basiq lists events, and an event is tried.</summary>
    internal static readonly TimeSpan Listed = TimeSpan.FromDays(7);

    /// <summary>Within which an event that Basiq tells of can be expected to be found; what it is about may be gone, too.</summary>
    private static readonly TimeSpan TimeToAppear = TimeSpan.FromHours(6);

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(1);

    /// <summary>The id of an event's orchestration.</summary>
    public static string InstanceIdFor(string eventId) => Prefix + eventId;

    /// <summary>
    /// Schedules an event's orchestration, unless there is one. One that has ended is not run again, unless it broke: where a deployment
    /// changed it while it waited, the next that hears of the event has it handled.
    /// </summary>
    /// <returns>Whether the event is new.</returns>
    internal static async Task<bool> StartAsync(DurableTaskClient client, EventInput input, CancellationToken cancellation)
    {
        // Hosts start an orchestration of the same id anew, once it has ended.
        var instanceId = InstanceIdFor(input.EventId);
        if (await HasBegunAsync())
            return false;
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(Name, input, new StartOrchestrationOptions(instanceId), cancellation);
            return true;
        }
#pragma warning disable CA1031 // Hosts say 'there is one already' with exceptions of their own: whether there is one decides.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            if (!await HasBegunAsync())
                throw;
            return false;
        }

        async Task<bool> HasBegunAsync() => await client.GetInstanceAsync(instanceId, cancellation) is { RuntimeStatus: not OrchestrationRuntimeStatus.Failed };
    }

    /// <summary>What came of an event; null when this app has not heard of it, or no longer remembers.</summary>
    internal static async Task<EventHandling?> FindAsync(DurableTaskClient client, string? eventId, CancellationToken cancellation)
    {
        if (eventId is null || await client.GetInstanceAsync(InstanceIdFor(eventId), getInputsAndOutputs: true, cancellation) is not { } instance)
            return null;
        var handled = instance is { IsCompleted: true, SerializedOutput: { } output } && instance.RuntimeStatus is OrchestrationRuntimeStatus.Completed
            ? JsonSerializer.Deserialize(output, AppJson.Of<EventHandled>())
            : null;
        return EventHandling.From(instance.RuntimeStatus, instance.SerializedCustomStatus, handled);
    }

    /// <summary>Has the event handled. Null when it was dropped.</summary>
    [Function(Name)]
    public static async Task<EventHandled?> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var input = context.GetInput<EventInput>()!;
        var takenAt = context.CurrentUtcDateTime;
        var delay = FirstDelay;
        for (var tries = 1; ; tries++)
        {
            var age = context.CurrentUtcDateTime - takenAt;
            var isLast = age >= Listed - MaxDelay;
            var outcome = await ActAsync(context, input with { IsLastTry = isLast });
            if (outcome.Value is { IsComplete: true } handled)
            {
                if (handled is { Tells: { } type, Told: { } data })
                    await context.TellAsync(context.Notice(type, data));
                return handled;
            }

            var asked = TimeSpan.FromSeconds(outcome.Failure?.RetryAfterSeconds ?? 0);
            var wait = outcome.Failure is { } failure && !MayPass(failure, age) ? MaxDelay : asked > delay ? asked : delay;
            var next = context.CurrentUtcDateTime + (wait < MaxDelay ? wait : MaxDelay);

            // For GetWebhookSubscription.
            context.SetCustomStatus(new EventTried(tries, outcome.Failure?.Code, isLast ? null : next));
            if (isLast)
                return null;
            await context.CreateTimer(next, CancellationToken.None);
            delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
        }
    }

    private static async Task<Outcome<EventHandled>> ActAsync(TaskOrchestrationContext context, EventInput input)
    {
        try
        {
            return await context.CallActivityAsync<Outcome<EventHandled>>(nameof(EventActivities.ActOnEvent), input);
        }
        catch (TaskFailedException)
        {
            // What breaks on our side, such as storage that is out of reach.
            return new Outcome<EventHandled>(null, new UpstreamFailure(nameof(BasiqFailureKind.Other), "internal-error", IsTransient: true));
        }
    }

    /// <summary>
    /// Whether to try again soon. A permission that the API key lacks is given sooner or later, and an event that Basiq does not have yet
    /// may come; what else does not pass takes a change to this app or to Basiq, and is tried once a day.
    /// </summary>
    private static bool MayPass(UpstreamFailure failure, TimeSpan age) =>
        failure.MayPass
        || failure.Kind is nameof(BasiqFailureKind.Forbidden)
        || (failure.IsNotFound && age < TimeToAppear);
}

/// <summary>What the orchestration of an event, and each of its tries, is started with. What happened is asked of Basiq.</summary>
/// <param name="EventId">The event.</param>
/// <param name="WebhookId">The message that told of it first; null when none did, and it was found among Basiq's events.</param>
/// <param name="IsLastTry">Whether it is dropped should this try fail, too.</param>
public sealed record EventInput(string EventId, string? WebhookId = null, bool IsLastTry = false);

/// <summary>What came of an event.</summary>
/// <param name="Type">Its type, one of those that this app knows, or <c>other</c>.</param>
/// <param name="Outcome">What was done, in one of few words.</param>
/// <param name="IsComplete">False when something is left to be done a little later.</param>
/// <param name="UserId">Whose it is, where Basiq says so.</param>
/// <param name="ConnectionId">The connection that it is about, where it is about one.</param>
/// <param name="Tells">The type of what the team's backend is told of it; null for nothing.</param>
/// <param name="Told">What it is told.</param>
public sealed record EventHandled(
    string Type, string Outcome, bool IsComplete = true, UserId? UserId = null, ConnectionId? ConnectionId = null, string? Tells = null, NoticeData? Told = null);
