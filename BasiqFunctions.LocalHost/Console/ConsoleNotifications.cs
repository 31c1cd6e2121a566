using System.Text.Json;
using BasiqFunctions.Notifications;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>What this app tells receivers.</summary>
/// <param name="Subscriptions">The subscriptions.</param>
/// <param name="Sent">The newest deliveries to any of them, newest first.</param>
/// <param name="Received">What arrived at this host, where it is subscribed to itself, newest first.</param>
internal sealed record ConsoleNotifications(
    IReadOnlyList<NotificationSubscription> Subscriptions, IReadOnlyList<SentNotification> Sent, IReadOnlyList<ReceivedNotification> Received);

/// <summary>A delivery.</summary>
/// <param name="Subscription">The name of the subscription.</param>
/// <param name="Delivery">How far it is.</param>
internal sealed record SentNotification(string Subscription, Delivery Delivery);

/// <summary>A message that arrived, with a genuine signature.</summary>
/// <param name="MessageId">The message.</param>
/// <param name="ReceivedAt">When.</param>
/// <param name="Message">What it says.</param>
internal sealed record ReceivedNotification(string MessageId, DateTimeOffset ReceivedAt, JsonElement Message);
