using BasiqFunctions.Basiq;
using BasiqFunctions.Sync;
using BasiqFunctions.Telemetry;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Webhooks;

/// <summary>What an event has done in the world. It may run again, and then finishes what an interruption left.</summary>
public sealed class EventActivities(
    IBasiqClient basiq, EventActions actions, EventIntake intake, Instruments instruments, ILogger<EventActivities> logger)
{
    /// <summary>Asks Basiq what happened and acts on it. What Basiq refuses comes back as a value.</summary>
    [Function(nameof(ActOnEvent))]
    public async Task<Outcome<EventHandled>> ActOnEvent(
        [ActivityTrigger] EventInput input, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        var type = EventTypes.Other;
        try
        {
            var happened = await basiq.GetEventAsync(input.EventId, cancellation);
            type = EventTypes.Subscribed.Contains(happened.TypeId) ? happened.TypeId : EventTypes.Other;
            var handled = await actions.ActAsync(client, happened, cancellation);

            // Before the orchestration knows: whatever it ends with, what is handled is not tried again.
            if (handled.IsComplete && input.FirstTakenAt is not null)
                await intake.SettleAsync(input, cancellation);
            instruments.EventHandled(type, handled.Outcome);
            Log.EventHandled(logger, input.EventId, type, handled.Outcome);
            return new Outcome<EventHandled>(handled with { UserId = happened.UserId, ConnectionId = happened.ConnectionId });
        }
        catch (BasiqException exception)
        {
            instruments.EventHandled(type, BasiqOutcome.Of(exception.Failure.Kind));
            Log.EventFailed(logger, input.EventId, type, exception.Failure.ToString());
            return new Outcome<EventHandled>(null, UpstreamFailure.From(exception.Failure));
        }
    }

    /// <summary>Hands an event back that could not be handled for now.</summary>
    [Function(nameof(HandEventBack))]
    public Task HandEventBack([ActivityTrigger] EventInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        return intake.HandBackAsync(input, cancellation);
    }
}
