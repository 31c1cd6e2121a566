using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>What a subscription is made of.</summary>
internal sealed record WebhookDetails(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("description")] string Description,
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("subscribedEvents")] IReadOnlyList<string> SubscribedEvents);
