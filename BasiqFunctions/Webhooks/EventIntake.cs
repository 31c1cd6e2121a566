using System.Text;
using BasiqFunctions.Storage;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Webhooks;

/// <summary>
/// Takes events, each once, whoever brings them: a webhook, a repetition of it, or the daily look at what may have been missed.
/// </summary>
/// <remarks>
/// An event is written down as pending, then its orchestration is scheduled under an id that follows from the event, then it is
/// written down as taken. A process that dies in between has not answered Basiq, which sends the message again; and what is pending
/// is taken up by <see cref="RetakeEvents"/>.
/// </remarks>
public sealed class EventIntake(
    [FromKeyedServices(WebhookOptions.Section)] IRecordTable table, IOptions<WebhookOptions> options, TimeProvider clock, ILogger<EventIntake> logger)
{
    private const string Taken = "event";
    private const string Pending = "pending";

    /// <summary>Longer than Basiq lists events, so that none that was taken is taken for a new one.</summary>
    private static readonly TimeSpan LeastMemory = TimeSpan.FromDays(8);

    private TimeSpan Memory => options.Value.RememberFor > LeastMemory ? options.Value.RememberFor : LeastMemory;

    /// <summary>Takes an event, unless it was taken before.</summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="eventId">The event, already validated as an id.</param>
    /// <param name="webhookId">The message that tells of it; null where none does.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>Whether it is new.</returns>
    public async Task<bool> TakeAsync(DurableTaskClient client, string eventId, string? webhookId, CancellationToken cancellation)
    {
        if (await table.FindAsync(Taken, eventId, cancellation) is not null)
        {
            await table.RemoveAsync(Pending, eventId, cancellation);
            return false;
        }

        var expiresAt = clock.GetUtcNow() + Memory;
        await table.TryAddAsync(new TableRecord(Pending, eventId, Encoding.ASCII.GetBytes(webhookId ?? "")) { ExpiresAt = expiresAt }, cancellation);
        await ScheduleAsync(client, new EventInput(eventId, webhookId), cancellation);
        await table.TryAddAsync(new TableRecord(Taken, eventId, []) { ExpiresAt = expiresAt }, cancellation);
        await table.RemoveAsync(Pending, eventId, cancellation);
        return true;
    }

    /// <summary>Takes what was written down and not scheduled.</summary>
    public async Task RetakeAsync(DurableTaskClient client, CancellationToken cancellation)
    {
        await foreach (var record in table.ListAllAsync(Pending, cancellation))
        {
            var webhookId = record.Content.Length > 0 ? Encoding.ASCII.GetString(record.Content) : null;
            if (await TakeAsync(client, record.Row, webhookId, cancellation))
                Log.EventRetaken(logger, record.Row);
        }
    }

    private static async Task ScheduleAsync(DurableTaskClient client, EventInput input, CancellationToken cancellation)
    {
        // Hosts start an orchestration of the same id anew, once it has ended.
        var instanceId = EventOrchestration.InstanceIdFor(input.EventId);
        if (await client.GetInstanceAsync(instanceId, cancellation) is not null)
            return;
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(
                EventOrchestration.Name, input, new StartOrchestrationOptions(instanceId), cancellation);
        }
#pragma warning disable CA1031 // Hosts say 'there is one already' with exceptions of their own: whether there is one decides.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            if (await client.GetInstanceAsync(instanceId, cancellation) is null)
                throw;
        }
    }
}
