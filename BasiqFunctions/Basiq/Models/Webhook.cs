using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>A subscription of webhooks at Basiq.</summary>
[JsonConverter(typeof(BasiqResourceConverter<Webhook>))]
public sealed record Webhook : IBasiqResource<Webhook>
{
    private Webhook(JsonElement json) => (Json, Id) = (json, json.RequiredText("id"));

    /// <inheritdoc />
    public JsonElement Json { get; }

    /// <summary>Basiq's id.</summary>
    public string Id { get; }

    /// <summary>Where messages go.</summary>
    public string? Url => Json.Text("url");

    /// <summary><c>active</c>, <c>pending-approval</c>, or one to come.</summary>
    public string? Status => Json.Text("status");

    /// <summary>What messages are signed with; only in the answer to a creation or a change.</summary>
    public string? Secret => Json.Text("secret");

    /// <summary>The types of events that it is sent for.</summary>
    public IReadOnlyList<string> Events =>
        !Json.TryGetProperty("subscribedEvents", out var events) ? []
        : events.ValueKind is JsonValueKind.Array ? [.. events.EnumerateArray().Select(e => e.ValueKind is JsonValueKind.String ? e.GetString()! : "")]
        : Json.Text("subscribedEvents") is { } one ? [one]
        : [];

    /// <inheritdoc />
    public static Webhook From(JsonElement json) => new(json);

    /// <summary>Reads one from its JSON text.</summary>
    /// <exception cref="JsonException">It is not a JSON object, or has no <c>id</c>.</exception>
    public static Webhook Parse(string json) => From(JsonElement.Parse(json));

    /// <summary>The id alone: the rest holds a secret.</summary>
    public override string ToString() => $"{nameof(Webhook)} {Id}";
}

/// <summary>A message of a subscription, with how its deliveries went.</summary>
[JsonConverter(typeof(BasiqResourceConverter<WebhookMessage>))]
public sealed record WebhookMessage : IBasiqResource<WebhookMessage>
{
    private WebhookMessage(JsonElement json) => (Json, Id) = (json, json.RequiredText("id"));

    /// <inheritdoc />
    public JsonElement Json { get; }

    /// <summary>Basiq's id, which comes as <c>webhook-id</c>.</summary>
    public string Id { get; }

    /// <summary>What happened to what.</summary>
    public string? EventTypeId => Json.Text("payload", "eventTypeId") ?? Json.Text("eventTypeId");

    /// <summary>The event.</summary>
    public string? EventId => Json.Text("payload", "eventId") ?? Json.Text("eventId");

    /// <summary>The attempts, in Basiq's order: when, the HTTP status of our answer, and <c>Success</c> or <c>Failed</c>.</summary>
    public IReadOnlyList<(DateTimeOffset? At, int? StatusCode, string? Status)> Attempts =>
        Json.TryGetProperty("attempts", out var attempts) && attempts.ValueKind is JsonValueKind.Array
            ? [.. attempts.EnumerateArray().Where(a => a.ValueKind is JsonValueKind.Object).Select(a => (
                BasiqTime.Of(a.Text("timestamp")),
                int.TryParse(a.Text("responseStatusCode"), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : (int?)null,
                a.Text("status")))]
            : [];

    /// <inheritdoc />
    public static WebhookMessage From(JsonElement json) => new(json);

    /// <summary>The id alone.</summary>
    public override string ToString() => $"{nameof(WebhookMessage)} {Id}";
}

/// <summary>What a subscription is made of.</summary>
internal sealed record WebhookDetails(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("description")] string Description,
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("subscribedEvents")] IReadOnlyList<string> SubscribedEvents);
