using System.Security.Cryptography;
using System.Text.Json;
using BasiqFunctions.Connections;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Sync;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Notifications;

/// <summary>The steps of telling the team's backend. Each may run again, and then finishes what an interruption left.</summary>
public sealed class DeliveryActivities(
    DeliveryQueues queues,
    NotificationSubscriptions subscriptions,
    ConnectionAttentions attentions,
    Senders senders,
    Instruments instruments,
    TimeProvider clock,
    ILogger<DeliveryActivities> logger)
{
    /// <summary>Well below the time-out of a host, and long enough to deliver many at once.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>Takes notices, and has each delivered to whoever wants it.</summary>
    [Function(NoticeExtensions.Activity)]
    public async Task TakeNotices([ActivityTrigger] IReadOnlyList<Notice> notices, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(notices);
        foreach (var notice in notices)
        {
            if (notice.OnlyIfNews && !await IsNewsAsync(notice, cancellation))
                continue;
            foreach (var receiver in await subscriptions.ListTakersAsync(notice.Type, cancellation))
                await queues.AddAsync(client, receiver, notice, cancellation);
        }
    }

    /// <summary>Delivers what waits for one receiver of one user, until there is nothing left or a message has to wait.</summary>
    [Function(nameof(Deliver))]
    public async Task<DeliveryStep> Deliver([ActivityTrigger] DeliveryTurn turn, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(turn);
        var start = clock.GetTimestamp();
        while (clock.GetElapsedTime(start) < Longest)
        {
            if (await queues.FindNextAsync(turn, cancellation) is not var (place, record, waiting))
                return new DeliveryStep(IsEmpty: true);
            if (waiting.Delivery.NextAttemptAt is { } at && at - clock.GetUtcNow() is var wait && wait > TimeSpan.Zero)
                return new DeliveryStep(IsEmpty: false, at, wait);
            await TryAsync(turn.Receiver, place, record, waiting, cancellation);
        }

        return new DeliveryStep(IsEmpty: false);
    }

    private async Task TryAsync(string receiver, TableRecord place, TableRecord record, KeptDelivery waiting, CancellationToken cancellation)
    {
        var delivery = waiting.Delivery;
        var first = waiting.FirstAttemptAt ?? clock.GetUtcNow();
        var result = await senders.SendAsync(receiver, waiting.ToMessage(), cancellation);
        var now = clock.GetUtcNow();
        if (result.IsUntried)
        {
            await queues.NoteAsync(receiver, place, record, waiting with { Delivery = delivery with { NextAttemptAt = now + SomeSeconds() } }, cancellation);
            return;
        }

        // One that has been given another URL meanwhile gets it there.
        var isUnsubscribed = result.GoneFrom is { } url && await subscriptions.EndAsync(receiver, url, cancellation);
        var isGone = result.IsGone || isUnsubscribed;
        var next = result.IsDelivered || isGone ? null : DeliverySchedule.Next(first, now, result.RetryAfter);
        delivery = delivery with
        {
            Status = result.IsDelivered ? DeliveryStatus.Delivered : next is null ? DeliveryStatus.Failed : DeliveryStatus.Pending,
            Attempts = delivery.Attempts + 1,
            LastAttemptAt = now,
            LastResult = result.Code,
            NextAttemptAt = next,
        };
        await queues.NoteAsync(receiver, place, record, waiting with { Delivery = delivery, FirstAttemptAt = first }, cancellation);
        instruments.NotificationTried(delivery.Type, delivery.Status is DeliveryStatus.Pending ? "retried" : delivery.Status is DeliveryStatus.Failed ? "failed" : Instruments.Success);
        if (isUnsubscribed)
            Log.Unsubscribed(logger, receiver);
        if (isGone)
            return;
        if (delivery.Status is DeliveryStatus.Failed)
            Log.GivenUp(logger, delivery.MessageId, receiver, result.Code, delivery.Attempts);
        await subscriptions.NoteAsync(receiver, isFailing: !result.IsDelivered, cancellation);
    }

    /// <summary>Not the same for all who found no place.</summary>
    private static TimeSpan SomeSeconds() => TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(500, 2_500));

    /// <summary>Whether a connection's trouble, or its end, has not been told.</summary>
    private async Task<bool> IsNewsAsync(Notice notice, CancellationToken cancellation)
    {
        var data = notice.Data;
        if (data.ConnectionId is not { } connectionId)
            return true;
        return notice.Type is NoticeTypes.ConnectionRecovered
            ? await attentions.ClearAsync(data.UserId, connectionId, notice.Timestamp, notice.MessageId, cancellation)
            : await attentions.MarkAsync(data.UserId, connectionId, ActionOf(data.NextAction!), notice.Timestamp, notice.MessageId, cancellation);
    }

    private static NextAction ActionOf(string action) => JsonSerializer.Deserialize<NextAction>(JsonSerializer.SerializeToUtf8Bytes(action));
}
