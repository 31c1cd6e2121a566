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
