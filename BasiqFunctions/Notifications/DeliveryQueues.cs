using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Platform.Records;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Notifications;

/// <summary>
/// What waits to be delivered: for each receiver and user a queue, whose messages an orchestration delivers one after the other, and a list
/// of the deliveries of each receiver.
/// </summary>
/// <remarks>
/// A queue's head names the orchestration. It is removed, unless somebody has changed it meanwhile, by the orchestration that finds no
/// more messages, and whoever adds one where there is no head makes a head and an orchestration of another id. So none is added to a queue
/// that nobody looks at any more, and there are never two who deliver.
/// </remarks>
public sealed class DeliveryQueues
{
    /// <summary>How many of a queue's messages are looked at to fold those that say the same.</summary>
    private const int MostLookedAt = 200;

    /// <summary>How many are read at once to find those of a status, and how often for one answer.</summary>
    private const int MostListed = 1_000;
    private const int MostPages = 20;

    /// <summary>After every row of a message.</summary>
    private const string Head = "head";

    private readonly IRecordTable _table;
    private readonly IOptions<NotificationOptions> _options;
    private readonly TimeProvider _clock;

    internal DeliveryQueues(IRecordTable table, IOptions<NotificationOptions> options, TimeProvider clock) =>
        (_table, _options, _clock) = (table, options, clock);

    /// <summary>Has a notice delivered to a receiver. Done again it finishes what an interruption left.</summary>
    internal async Task AddAsync(DurableTaskClient client, string receiver, Notice notice, CancellationToken cancellation)
    {
        var delivery = new Delivery(notice.MessageId, notice.Type, notice.Data.UserId, DeliveryStatus.Pending, _clock.GetUtcNow());
        await _table.TryAddAsync(RecordOf(receiver, new KeptDelivery(delivery, notice.Timestamp, notice.Data)), cancellation);
        await QueueAsync(client, receiver, notice.Data.UserId, new QueuedMessage(notice.MessageId, notice.Type), cancellation);
    }

    /// <summary>Has a message that was given up, or has arrived, delivered once more; one that waits is tried now.</summary>
    /// <returns>False when there is no such message.</returns>
    internal async Task<bool> RetryAsync(DurableTaskClient client, string receiver, string messageId, CancellationToken cancellation)
    {
        while (true)
        {
            if (await FindAsync(receiver, messageId, cancellation) is not { } found)
                return false;
            var (record, kept) = found;
            var delivery = kept.Delivery;
            if (delivery.Status is DeliveryStatus.Pending)
            {
                if (delivery.NextAttemptAt is null || await TryReplaceAsync(record, kept with { Delivery = delivery with { NextAttemptAt = null } }, cancellation))
                {
                    // Whoever set it to wait may have died before it had a place.
                    if (!await IsQueuedAsync(receiver, delivery.UserId, messageId, cancellation))
                        await QueueAsync(client, receiver, delivery.UserId, new QueuedMessage(messageId, delivery.Type), cancellation);
                    await WakeAsync(client, receiver, delivery.UserId, cancellation);
                    return true;
                }
            }
            else if (await TryReplaceAsync(
                record, kept with { Delivery = delivery with { Status = DeliveryStatus.Pending, NextAttemptAt = null }, FirstAttemptAt = null }, cancellation))
            {
                // Also when the caller hangs up: it waits by now.
                await QueueAsync(client, receiver, delivery.UserId, new QueuedMessage(messageId, delivery.Type), CancellationToken.None);
                return true;
            }
        }
    }

    /// <summary>Lists deliveries to a receiver, the newest first. Where few have the status, a page may end before it is full.</summary>
    public async Task<DeliveryList> ListAsync(
        string receiver, DeliveryStatus? status, Cursor? cursor, int limit, CancellationToken cancellation)
    {
        List<Delivery> deliveries = [];
        string? after = cursor;
        var atOnce = status is null ? limit : MostListed;
        for (var pages = 1; ; pages++)
        {
            var page = await _table.ListAsync(LogOf(receiver), atOnce, after, cancellation);
            foreach (var record in page)
            {
                after = record.Row;
                if (!record.IsLiveAt(_clock.GetUtcNow()))
                    continue;
                var delivery = record.Read<KeptDelivery>().Delivery;
                if (status is null || delivery.Status == status)
                    deliveries.Add(delivery);
                if (deliveries.Count == limit)
                    return new DeliveryList(deliveries, new(after));
            }

            if (page.Count < atOnce)
                return new DeliveryList(deliveries, null);
            if (pages == MostPages)
                return new DeliveryList(deliveries, new(after!));
        }
    }

    /// <summary>
    /// The message that comes next, with its place; null when there is none, or when another orchestration delivers by now, and from then
    /// on this one does not. One that has not been tried and of which a later one says all is passed over.
    /// </summary>
    internal async Task<(TableRecord Place, TableRecord Record, KeptDelivery Delivery)?> FindNextAsync(DeliveryTurn turn, CancellationToken cancellation)
    {
        var (receiver, userId) = (turn.Receiver, turn.UserId);
        while (true)
        {
            // The head first: who adds a message adds it before the head is changed.
            var head = await _table.FindAsync(QueueOf(receiver, userId), Head, cancellation);
            if (head?.Read<QueueHead>().InstanceId != turn.InstanceId)
                return null;
            var places = (await _table.ListAsync(QueueOf(receiver, userId), MostLookedAt, null, cancellation)).Where(record => record.Row != Head).ToArray();
            if (places.Length == 0)
            {
                if (await _table.TryRemoveAsync(head, cancellation))
                    return null;
                continue;
            }

            var place = places[0];
            var queued = place.Read<QueuedMessage>();
            if (await FindAsync(receiver, queued.MessageId, cancellation) is not { } found || found.Delivery.Delivery.Status is not DeliveryStatus.Pending)
            {
                // Delivered before whoever did so could take it out, or listed as long as deliveries are.
                await _table.TryRemoveAsync(place, cancellation);
                continue;
            }

            if (found.Delivery.FirstAttemptAt is null && queued.Type is NoticeTypes.DataChanged && IsAnyLater(places, queued))
            {
                await TryReplaceAsync(found.Record, found.Delivery with { Delivery = found.Delivery.Delivery with { Status = DeliveryStatus.Folded } }, cancellation);
                continue;
            }

            return (place, found.Record, found.Delivery);
        }
    }

    /// <summary>Notes what came of a message; one that does not wait any more leaves its place.</summary>
    internal async Task NoteAsync(
        string receiver, TableRecord place, TableRecord record, KeptDelivery delivery, CancellationToken cancellation)
    {
        while (!await TryReplaceAsync(record, delivery, cancellation))
        {
            if (await FindAsync(receiver, delivery.Delivery.MessageId, cancellation) is not ({ } changed, { Delivery.Status: DeliveryStatus.Pending }))
                break;

            // While it was tried, somebody asked for it to be tried at once.
            record = changed;
            delivery = delivery with { Delivery = delivery.Delivery with { NextAttemptAt = null } };
        }

        if (delivery.Delivery.Status is not DeliveryStatus.Pending)
            await _table.TryRemoveAsync(place, cancellation);
    }

    private static bool IsAnyLater(IEnumerable<TableRecord> places, QueuedMessage queued) =>
        places.Skip(1).Select(place => place.Read<QueuedMessage>()).Any(later => later.Type == queued.Type && later.MessageId != queued.MessageId);

    private static string LogOf(string receiver) => $"log.{receiver}";

    private static string QueueOf(string receiver, UserId userId) => $"queue.{receiver}.{userId}";

    private static string RowOf(long place) => place.ToString("x16", CultureInfo.InvariantCulture);

    private static string NewInstanceId(string receiver, UserId userId) =>
        DeliveryOrchestration.Prefix
        + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{receiver}/{userId}")).AsSpan(0, 8))
        + $"-{Guid.NewGuid():N}";

    private async Task<(TableRecord Record, KeptDelivery Delivery)?> FindAsync(string receiver, string messageId, CancellationToken cancellation) =>
        await _table.FindAsync(LogOf(receiver), messageId, cancellation) is { } found && found.IsLiveAt(_clock.GetUtcNow())
            ? (found, found.Read<KeptDelivery>())
            : null;

    private TableRecord RecordOf(string receiver, KeptDelivery delivery) =>
        new(LogOf(receiver), delivery.Delivery.MessageId, delivery.ToContent())
        {
            ExpiresAt = delivery.Delivery.CreatedAt + _options.Value.KeepFor,
        };

    private async Task<bool> TryReplaceAsync(TableRecord record, KeptDelivery delivery, CancellationToken cancellation) =>
        await _table.TryReplaceAsync(
            record with { ETag = record.ETag, Content = delivery.ToContent() }, cancellation) is not null;

    /// <summary>Puts a message at the end of a queue, and sees to it that somebody delivers.</summary>
    private async Task QueueAsync(DurableTaskClient client, string receiver, UserId userId, QueuedMessage message, CancellationToken cancellation)
    {
        var queue = QueueOf(receiver, userId);
        long? mine = null;
        while (true)
        {
            var found = await _table.FindAsync(queue, Head, cancellation);
            var head = found?.Read<QueueHead>()
                ?? new QueueHead(_clock.GetUtcNow().UtcTicks, NewInstanceId(receiver, userId));
            for (var place = head.Next; mine is null; place++)
            {
                var record = new TableRecord(queue, RowOf(place), message.ToContent());
                if (await _table.TryAddAsync(record, cancellation) is not null)
                    mine = place;
            }

            var content = (head with { Next = Math.Max(head.Next, mine.Value + 1) }).ToContent();
            var changed = new TableRecord(queue, Head, content) { ETag = found?.ETag };
            if ((found is null ? await _table.TryAddAsync(changed, cancellation) : await _table.TryReplaceAsync(changed, cancellation)) is null)
                continue;
            await DeliveryOrchestration.StartAsync(client, head.InstanceId, new DeliveryInput(receiver, userId), cancellation);
            return;
        }
    }

    private async Task<bool> IsQueuedAsync(string receiver, UserId userId, string messageId, CancellationToken cancellation) =>
        (await _table.ListAsync(QueueOf(receiver, userId), MostLookedAt, null, cancellation))
            .Any(record => record.Row != Head && record.Read<QueuedMessage>().MessageId == messageId);

    private async Task WakeAsync(DurableTaskClient client, string receiver, UserId userId, CancellationToken cancellation)
    {
        if (await _table.FindAsync(QueueOf(receiver, userId), Head, cancellation) is not { } found)
            return;
        var instanceId = found.Read<QueueHead>().InstanceId;
        await DeliveryOrchestration.StartAsync(client, instanceId, new DeliveryInput(receiver, userId), cancellation);
        await client.RaiseEventAsync(instanceId, DeliveryOrchestration.WakeEvent, null, cancellation);
    }
}
