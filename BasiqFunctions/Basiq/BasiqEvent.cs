using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace BasiqFunctions.Basiq;

/// <summary>Something that happened, as Basiq tells it when it is asked.</summary>
[JsonConverter(typeof(BasiqResourceConverter<BasiqEvent>))]
public sealed partial record BasiqEvent : IBasiqResource<BasiqEvent>
{
    private BasiqEvent(JsonElement json) => (Json, Id) = (json, json.RequiredText("id"));

    /// <inheritdoc />
    public JsonElement Json { get; }

    /// <summary>Basiq's id.</summary>
    public string Id { get; }

    /// <summary>What happened to what, such as <c>consent.revoked</c>.</summary>
    public string TypeId => $"{Json.Text("entity")}.{Json.Text("eventType")}";

    /// <summary>Whose it is; null where Basiq says so in no way that is known.</summary>
    public string? UserId =>
        Json.Text("userId") is { } id && UserPath().IsMatch($"/users/{id}") ? id
        : UserPath().Match(Json.Text("dataRef") ?? "") is { Success: true } match ? match.Groups["id"].Value
        : null;

    /// <summary>When it happened; null where Basiq says so in no way that is known.</summary>
    public DateTimeOffset? CreatedAt => BasiqTime.Of(Json.Text("createdDate"));

    /// <summary>The connection that it is about, by its path or by the filter of the path; null for none.</summary>
    public string? ConnectionId =>
        ConnectionOf().Match(Json.Text("dataRef") ?? "") is { Success: true } match ? match.Groups["id"].Value : null;

    /// <summary>The consent that it is about; null for none.</summary>
    public string? ConsentId => ConsentOf().Match(Json.Text("dataRef") ?? "") is { Success: true } match ? match.Groups["id"].Value : null;

    /// <inheritdoc />
    public static BasiqEvent From(JsonElement json) => new(json);

    /// <summary>Reads one from its JSON text.</summary>
    /// <exception cref="JsonException">It is not a JSON object, or has no <c>id</c>.</exception>
    public static BasiqEvent Parse(string json) => From(JsonElement.Parse(json));

    /// <summary>The id alone: the rest may be personal data.</summary>
    public override string ToString() => $"{nameof(BasiqEvent)} {Id}";

    [GeneratedRegex(@"/users/(?<id>[A-Za-z0-9_-]{1,64})(?=[/?]|\z)")]
    private static partial Regex UserPath();

    [GeneratedRegex(@"(?:/connections/|connection\.id\.eq\((?:'|%27))(?<id>[A-Za-z0-9_-]{1,64})")]
    private static partial Regex ConnectionOf();

    [GeneratedRegex(@"/consents/(?<id>[A-Za-z0-9_-]{1,64})")]
    private static partial Regex ConsentOf();
}
