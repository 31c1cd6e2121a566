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
