using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Webhooks;

/// <summary>
/// Takes the events that oblige to something and that no webhook told of. Basiq lists those of 7 days: an outage of less loses none.
/// </summary>
/// <remarks>
/// Of each kind of entity it is remembered up to which time all events are taken, by Basiq's clock; the next run looks at what came
/// since, and a day before that, for events that were listed late. What breaks a run off leaves that time as it was.
/// </remarks>
public sealed class EventReconciliation(
    IBasiqClient basiq, [FromKeyedServices(WebhookOptions.Section)] IRecordTable table, TimeProvider clock, ILogger<EventReconciliation> logger)
{
    private const string Marks = "reconciled";

    /// <summary>More pages than this are a mistake.</summary>
    private const int MaxPages = 10_000;

    private static readonly TimeSpan Overlap = TimeSpan.FromDays(1);

    /// <summary>Takes what is new.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked; the next run goes on.</exception>
    public Task RunAsync(DurableTaskClient client, CancellationToken cancellation) =>
        Task.WhenAll(EventTypes.ObligingEntities.Select(entity => RunAsync(client, entity, cancellation)));

    [SuppressMessage("Design", "CA1031", Justification = "It is thrown at the end: one event keeps no other waiting.")]
    private async Task RunAsync(DurableTaskClient client, string entity, CancellationToken cancellation)
    {
        var mark = await table.FindAsync(Marks, entity, cancellation) is { Damage: null } record
            ? DateTimeOffset.Parse(Encoding.ASCII.GetString(record.Content), CultureInfo.InvariantCulture)
            : (DateTimeOffset?)null;
        var (newest, missed) = (mark, 0);
        Exception? failure = null;
        try
        {
            await foreach (var happened in ListAsync(entity, mark - Overlap, cancellation))
            {
                // One that is dated in the years to come would have all later ones left unread.
                if ((newest is null || happened.CreatedAt > newest) && happened.CreatedAt <= clock.GetUtcNow() + Overlap)
                    newest = happened.CreatedAt;
                try
                {
                    if (EventTypes.ActedOn.Contains(happened.TypeId)
                        && RouteId.IsValid(happened.Id)
                        && await EventOrchestration.StartAsync(client, new EventInput(happened.Id), cancellation))
                        missed++;
                }
                catch (Exception exception) when (!cancellation.IsCancellationRequested)
                {
                    failure ??= exception;
                }
            }
        }
        finally
        {
            if (missed > 0)
                Log.EventsMissed(logger, missed);
        }

        if (failure is not null)
            throw new InvalidOperationException($"Not every event of {entity} could be scheduled; the next run tries again.", failure);
        if (newest is { } reached && newest != mark)
            await table.PutAsync(new TableRecord(Marks, entity, Encoding.ASCII.GetBytes(reached.ToString("O", CultureInfo.InvariantCulture))), cancellation);
    }

    /// <summary>
    /// The events since a moment. Basiq promises no order: for as long as the list has been newest first, what follows on a page that is
    /// older is left unread.
    /// </summary>
    private async IAsyncEnumerable<BasiqEvent> ListAsync(
        string entity, DateTimeOffset? since, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string? link = null;
        var isNewestFirst = true;
        DateTimeOffset? last = DateTimeOffset.MaxValue;
        for (var page = 0; page < MaxPages; page++)
        {
            var listed = await basiq.ListEventsAsync(BasiqFilter.EventEntity(entity), link, cancellation);
            foreach (var happened in listed.Events)
            {
                isNewestFirst &= happened.CreatedAt <= last;
                last = happened.CreatedAt;
                if (!(last < since))
                    yield return happened;
            }

            if (listed.NextLink is null || listed.NextLink == link || (isNewestFirst && last < since))
                yield break;
            link = listed.NextLink;
        }
    }
}
