using System.Text.Json.Serialization;

namespace BasiqFunctions.Webhooks;

/// <summary>The JSON of webhooks and events, without reflection.</summary>
[JsonSerializable(typeof(EventHandled))]
[JsonSerializable(typeof(EventInput))]
[JsonSerializable(typeof(EventTried))]
[JsonSerializable(typeof(KeptSubscription))]
[JsonSerializable(typeof(SubscriptionAnswer))]
internal sealed partial class WebhooksJson : JsonSerializerContext;
