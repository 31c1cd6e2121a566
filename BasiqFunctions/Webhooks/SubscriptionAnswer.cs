using System.Text.Json.Serialization;

namespace BasiqFunctions.Webhooks;

/// <summary>The subscription of webhooks. Its secret is shown nowhere.</summary>
/// <param name="WebhookId">Basiq's id of it.</param>
/// <param name="Url">Where messages go.</param>
/// <param name="Status">Basiq's word for how it stands.</param>
/// <param name="Events">The types of events that it is for.</param>
/// <param name="Deliveries">The last messages, where they were asked for.</param>
public sealed record SubscriptionAnswer(
    [property: JsonPropertyName("webhookId")] string WebhookId,
    [property: JsonPropertyName("url"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Url,
    [property: JsonPropertyName("status"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Status,
    [property: JsonPropertyName("events")] IReadOnlyList<string> Events,
    [property: JsonPropertyName("deliveries"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    IReadOnlyList<WebhookDelivered>? Deliveries = null);

/// <summary>A message of the subscription, and how its last delivery went.</summary>
/// <param name="MessageId">Basiq's id of it.</param>
/// <param name="EventTypeId">What happened to what.</param>
/// <param name="EventId">The event.</param>
/// <param name="Attempts">How often it was sent.</param>
/// <param name="LastAttemptAt">When it was sent last.</param>
/// <param name="LastStatusCode">The HTTP status that came back.</param>
/// <param name="LastStatus">Basiq's word for how that went.</param>
/// <param name="Handling">What this app did about the event; null for one that it has not heard of, or no longer remembers.</param>
public sealed record WebhookDelivered(
    [property: JsonPropertyName("messageId")] string MessageId,
    [property: JsonPropertyName("eventTypeId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? EventTypeId,
    [property: JsonPropertyName("eventId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? EventId,
    [property: JsonPropertyName("attempts")] int Attempts,
    [property: JsonPropertyName("lastAttemptAt"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? LastAttemptAt,
    [property: JsonPropertyName("lastStatusCode"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? LastStatusCode,
    [property: JsonPropertyName("lastStatus"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? LastStatus,
    [property: JsonPropertyName("handling"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] EventHandling? Handling = null);
