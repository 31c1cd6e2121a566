using BasiqFunctions.Basiq;
using BasiqFunctions.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Webhooks;

/// <summary>
/// Takes the events that no webhook told of, and those that were given up. Basiq lists those of 7 days: an outage of less loses nothing.
/// </summary>
public sealed class EventReconciliation(IBasiqClient basiq, EventIntake intake, ILogger<EventReconciliation> logger)
{
    /// <summary>More pages than this are a mistake.</summary>
    private const int MaxPages = 10_000;

    /// <summary>Takes what was given up, and what is new of the events that this app acts on.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked; the next run goes on.</exception>
    public async Task RunAsync(DurableTaskClient client, CancellationToken cancellation)
    {
        await intake.RetakeGivenUpAsync(client, cancellation);
        var missed = 0;
        try
        {
            string? link = null;
            for (var page = 0; page < MaxPages; page++)
            {
                var listed = await basiq.ListEventsAsync(link, cancellation);
                foreach (var happened in listed.Events)
                {
                    if (EventTypes.Subscribed.Contains(happened.TypeId)
                        && RouteId.IsValid(happened.Id)
                        && await intake.TakeAsync(client, new EventInput(happened.Id), cancellation))
                        missed++;
                }

                if (listed.NextLink is null || listed.NextLink == link)
                    break;
                link = listed.NextLink;
            }
        }
        finally
        {
            if (missed > 0)
                Log.EventsMissed(logger, missed);
        }
    }
}
