using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace BasiqFunctions.Basiq.Models;

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

    /// <summary>Whose it is, by <c>userId</c>, by the user that it carries or by the path; null where Basiq says so in no way that is known.</summary>
    public UserId? UserId => (IdOf(Json.Text("userId")) ?? EntityId("user") ?? IdIn(UserPath())) is { } id ? new(id) : null;

    /// <summary>When it happened; null where Basiq says so in no way that is known.</summary>
    public DateTimeOffset? CreatedAt => BasiqTime.Of(Json.Text("createdDate"));

    /// <summary>
    /// The connection that it is about: that of what it carries, the connection that it carries, or that of the path or its filter;
    /// null for none.
    /// </summary>
    public ConnectionId? ConnectionId =>
        (IdOf(Data.Text("connection", "id") ?? Data.Text("connection")) ?? EntityId("connection") ?? IdIn(ConnectionOf())) is { } id ? new(id) : null;

    /// <summary>The consent that it is about, by the consent that it carries or by the path; null for none.</summary>
    public string? ConsentId => EntityId("consent") ?? IdIn(ConsentOf());

    /// <summary>The same for a consent that has ended; null also where what it carries says that the consent has not.</summary>
    public string? EndedConsentId =>
        Data.Text("status") is { } status && Json.Text("entity") == "consent" && !Consent.IsOver(status) ? null : ConsentId;

    /// <summary>What it is about, as it stood then; Basiq's description has it as an object in one place and as a list of one in another.</summary>
    private JsonElement Data =>
        !Json.TryGetProperty("data", out var data) ? default
        : data.ValueKind is JsonValueKind.Array && data.GetArrayLength() > 0 ? data[0]
        : data;

    /// <inheritdoc />
    public static BasiqEvent From(JsonElement json) => new(json);

    /// <summary>Reads one from its JSON text.</summary>
    /// <exception cref="JsonException">It is not a JSON object, or has no <c>id</c>.</exception>
    public static BasiqEvent Parse(string json) => From(JsonElement.Parse(json));

    /// <summary>The id alone: the rest may be personal data.</summary>
    public override string ToString() => $"{nameof(BasiqEvent)} {Id}";

    /// <summary>The id of what it carries, where it is about that entity and carries no other.</summary>
    private string? EntityId(string entity) =>
        Json.Text("entity") == entity && (Data.Text("type") is not { } type || type == entity) ? IdOf(Data.Text("id")) : null;

    private string? IdIn(Regex place) =>
        place.Match(Json.Text("dataRef") ?? "") is { Success: true } match ? match.Groups["id"].Value : null;

    private static string? IdOf(string? text) => text is not null && OneId().IsMatch(text) ? text : null;

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,64}\z")]
    private static partial Regex OneId();

    [GeneratedRegex(@"/users/(?<id>[A-Za-z0-9_-]{1,64})(?=[/?]|\z)")]
    private static partial Regex UserPath();

    [GeneratedRegex(@"/connections/(?<id>[A-Za-z0-9_-]{1,64})(?=[/?]|\z)|connection\.id\.eq(?:\(|%28)(?:'|%27)(?<id>[A-Za-z0-9_-]{1,64})(?:'|%27)")]
    private static partial Regex ConnectionOf();

    [GeneratedRegex(@"/consents/(?<id>[A-Za-z0-9_-]{1,64})(?=[/?]|\z)")]
    private static partial Regex ConsentOf();
}

/// <summary>Events, and where there are more.</summary>
/// <param name="Events">The events.</param>
/// <param name="NextLink">The next page; null at the end.</param>
public sealed record BasiqEventsPage(IReadOnlyList<BasiqEvent> Events, string? NextLink);
