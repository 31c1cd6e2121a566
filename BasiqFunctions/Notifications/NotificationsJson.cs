using System.Collections.Immutable;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Notices;

namespace BasiqFunctions.Notifications;

/// <summary>The JSON of notifications, without reflection.</summary>
[JsonSerializable(typeof(NotificationSubscription))]
[JsonSerializable(typeof(NotificationSubscriptionList))]
[JsonSerializable(typeof(ReceiverState))]
[JsonSerializable(typeof(KeptDelivery))]
[JsonSerializable(typeof(DeliveryList))]
[JsonSerializable(typeof(QueuedMessage))]
[JsonSerializable(typeof(QueueHead))]
[JsonSerializable(typeof(NotificationMessage))]
[JsonSerializable(typeof(QueuedNotification))]
[JsonSerializable(typeof(TestResult))]
[JsonSerializable(typeof(NoticeData))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>))]
internal sealed partial class NotificationsJson : JsonSerializerContext;
