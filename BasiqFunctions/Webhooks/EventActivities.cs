using BasiqFunctions.Basiq;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Sync;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Webhooks;

/// <summary>What an event has done in the world. It may run again, and then finishes what an interruption left.</summary>
public sealed class EventActivities(IBasiqClient basiq, EventActions actions, Instruments instruments, ILogger<EventActivities> logger)
{
    /// <summary>Asks Basiq what happened and acts on it. What Basiq refuses comes back as a value.</summary>
    [Function(nameof(ActOnEvent))]
    public async Task<Outcome<EventHandled>> ActOnEvent(
        [ActivityTrigger] EventInput input, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        var type = EventTypes.Other;
        var isComplete = false;
        try
        {
            var happened = await basiq.GetEventAsync(input.EventId, cancellation);
            type = EventTypes.ActedOn.Contains(happened.TypeId) ? happened.TypeId : EventTypes.Other;
            var handled = await actions.ActAsync(client, happened, cancellation);
            isComplete = handled.IsComplete;
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
        finally
        {
            if (input.IsLastTry && !isComplete)
            {
                instruments.EventHandled(type, "dropped");
                Log.EventDropped(logger, input.EventId, type);
            }
        }
    }
}
