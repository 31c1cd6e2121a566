using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

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
