using System.Diagnostics.CodeAnalysis;
using System.Text;
using BasiqFunctions.Basiq;
using BasiqFunctions.Storage;
using BasiqFunctions.Telemetry;
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
/// written down as taken. What a process that dies in between leaves pending is taken up by <see cref="RetakeEvents"/>. An event that
/// its orchestration gives up is written down as given up, beside being taken, so that messages that tell of it again bring no second
/// run about: <see cref="ReconcileEvents"/> alone does, and the run that handles the event removes the record.
/// </remarks>
public sealed class EventIntake(
    [FromKeyedServices(WebhookOptions.Section)] IRecordTable table,
    IOptions<WebhookOptions> options,
    Instruments instruments,
    TimeProvider clock,
    ILogger<EventIntake> logger)
{
    private const string Taken = "event";
    private const string Pending = "pending";
    private const string GivenUp = "given-up";

    /// <summary>How long Basiq lists events.</summary>
    private static readonly TimeSpan Listed = TimeSpan.FromDays(7);

    /// <summary>Longer than Basiq lists events, so that none that was taken is taken for a new one.</summary>
    private static readonly TimeSpan LeastMemory = TimeSpan.FromDays(8);

    /// <summary>After which an attempt to schedule is given up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly LogPace _notStarted = new(clock);

    private TimeSpan Memory => options.Value.RememberFor > LeastMemory ? options.Value.RememberFor : LeastMemory;

    /// <summary>
    /// Takes an event, unless it was taken before. One that is written down and cannot be scheduled for now counts as taken: it is
    /// scheduled later.
    /// </summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="happened">The event, its id already validated.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>Whether it is new.</returns>
    internal async Task<bool> TakeAsync(DurableTaskClient client, EventInput happened, CancellationToken cancellation)
    {
        if (!await RecordAsync(happened, cancellation))
            return false;
        await TryStartAsync(client, happened, cancellation);
        return true;
    }

    /// <summary>Takes what was written down and not scheduled. What fails stays written down and keeps nothing else waiting.</summary>
    public async Task RetakeAsync(DurableTaskClient client, CancellationToken cancellation)
    {
        await foreach (var record in table.ListAllAsync(Pending, cancellation))
        {
            var happened = new EventInput(record.Row, record.Content.Length > 0 ? Encoding.ASCII.GetString(record.Content) : null);
            if (!await RecordAsync(happened, cancellation))
                await table.RemoveAsync(Pending, record.Row, cancellation);
            else if (await TryStartAsync(client, happened, cancellation))
                Log.EventRetaken(logger, record.Row);
        }
    }

    /// <summary>Writes an event down, unless it was taken before. From then on it is not lost, whatever becomes of the process.</summary>
    /// <returns>Whether it is new, so that <see cref="TryStartAsync"/> is due.</returns>
    internal async Task<bool> RecordAsync(EventInput happened, CancellationToken cancellation)
    {
        if (await table.FindAsync(Taken, happened.EventId, cancellation) is not null)
            return false;
        await table.TryAddAsync(
            new TableRecord(Pending, happened.EventId, Encoding.ASCII.GetBytes(happened.WebhookId ?? "")) { ExpiresAt = clock.GetUtcNow() + Memory },
            cancellation);
        return true;
    }

    /// <summary>Schedules what is to be done about an event that was written down. A failure is logged, and the event stays written down.</summary>
    /// <returns>Whether it is scheduled.</returns>
    [SuppressMessage("Design", "CA1031", Justification = "The event is written down: whatever goes wrong now, it is taken up again.")]
    internal async Task<bool> TryStartAsync(DurableTaskClient client, EventInput happened, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            await ScheduleAsync(client, happened, either.Token);
            await table.TryAddAsync(new TableRecord(Taken, happened.EventId, []) { ExpiresAt = clock.GetUtcNow() + Memory }, either.Token);
            await table.RemoveAsync(Pending, happened.EventId, either.Token);
            return true;
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            if (_notStarted.IsDue(out var events))
                Log.EventNotStarted(logger, happened.EventId, exception.GetType().Name, events);
            return false;
        }
    }

    /// <summary>Writes down that an event could not be handled for now. Done again it changes nothing.</summary>
    /// <param name="happened">The event, with the time when it was first taken.</param>
    /// <param name="cancellation">Ends the wait.</param>
    internal async Task HandBackAsync(EventInput happened, CancellationToken cancellation)
    {
        await table.PutAsync(
            new TableRecord(GivenUp, happened.EventId, happened.ToContent(WebhooksJson.Default.EventInput)), cancellation);
        instruments.EventHandled(EventTypes.Other, "given-up");
        Log.EventGivenUp(logger, happened.EventId);
    }

    /// <summary>Notes that an event that had been given up is handled.</summary>
    internal Task SettleAsync(EventInput happened, CancellationToken cancellation) =>
        table.RemoveAsync(GivenUp, happened.EventId, cancellation);

    /// <summary>
    /// Has what was given up tried again, each in a new run of its orchestration, and drops what is older than Basiq lists events.
    /// What fails stays written down and keeps nothing else waiting.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "The event stays written down: whatever goes wrong now, the next run takes it up.")]
    public async Task RetakeGivenUpAsync(DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(client);
        await foreach (var record in table.ListAllAsync(GivenUp, cancellation))
        {
            try
            {
                await RetakeGivenUpAsync(client, record, cancellation);
            }
            catch (Exception exception) when (!cancellation.IsCancellationRequested)
            {
                Log.EventNotTriedAgain(logger, record.Row, exception.GetType().Name);
            }
        }
    }

    private async Task RetakeGivenUpAsync(DurableTaskClient client, TableRecord record, CancellationToken cancellation)
    {
        // The run that gave it up may be about to end, or another may be at it since the last look.
        if (await client.GetInstanceAsync(EventOrchestration.InstanceIdFor(record.Row), cancellation) is { IsCompleted: false })
            return;
        var happened = record.Read(WebhooksJson.Default.EventInput);
        if (clock.GetUtcNow() - happened.FirstTakenAt < Listed)
        {
            await ScheduleAsync(client, happened, cancellation);
            Log.EventTriedAgain(logger, record.Row);
        }
        else if (await table.TryRemoveAsync(record, cancellation))
        {
            instruments.EventHandled(EventTypes.Other, "dropped");
            Log.EventDropped(logger, record.Row);
        }
    }

    private static async Task ScheduleAsync(DurableTaskClient client, EventInput input, CancellationToken cancellation)
    {
        // Hosts start an orchestration of the same id anew, once it has ended: that is for what was given up alone.
        var instanceId = EventOrchestration.InstanceIdFor(input.EventId);
        if (input.FirstTakenAt is null && await client.GetInstanceAsync(instanceId, cancellation) is not null)
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
            // One that had ended before is no sign that it was started anew.
            if (await client.GetInstanceAsync(instanceId, cancellation) is not { } found || (input.FirstTakenAt is not null && found.IsCompleted))
                throw;
        }
    }
}
