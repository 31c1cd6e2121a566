using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>A user's link to one bank.</summary>
[JsonConverter(typeof(BasiqResourceConverter<Connection>))]
public sealed record Connection : IBasiqResource<Connection>
{
    private Connection(JsonElement json) => (Json, Id) = (json, new(json.RequiredText("id")));

    /// <inheritdoc />
    public JsonElement Json { get; }

    /// <summary>Basiq's id.</summary>
    public ConnectionId Id { get; }

    /// <summary><c>active</c>, <c>pending</c>, <c>invalid</c>, <c>pre-init</c>, or one to come.</summary>
    public string? Status => Json.Text("status");

    /// <summary>Whether it works.</summary>
    public bool IsActive => string.Equals(Status, "active", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it has stopped working for good; events call it by the longer name.</summary>
    public bool IsInvalid => Status?.ToLowerInvariant() is "invalid" or "invalid-connection";

    /// <summary>Whether it has been deleted, although Basiq still tells of it.</summary>
    public bool IsDeleted => string.Equals(Status, "deleted", StringComparison.OrdinalIgnoreCase);

    /// <summary>How the bank is reached, such as <c>open-banking</c>.</summary>
    public string? Method => Json.Text("method");

    /// <summary>Whether a statement was uploaded: there is no bank behind it.</summary>
    public bool IsStatement => Method is "pdf" or "csv";

    /// <summary>The bank, such as <c>AU00000</c>.</summary>
    public string? InstitutionId => Json.Text("institution", "id");

    /// <summary>When it was made, ISO 8601.</summary>
    public string? CreatedDate => Json.Text("createdDate");

    /// <summary>When the consent behind it ends, ISO 8601.</summary>
    public string? ExpiryDate => Json.Text("expiryDate");

    /// <summary>When it was last refreshed, ISO 8601.</summary>
    public string? LastUsed => Json.Text("lastUsed");

    /// <inheritdoc />
    public static Connection From(JsonElement json) => new(json);

    /// <summary>Reads one from its JSON text.</summary>
    /// <exception cref="JsonException">It is not a JSON object, or has no <c>id</c>.</exception>
    public static Connection Parse(string json) => From(JsonElement.Parse(json));

    /// <summary>The id alone: the rest may be personal data.</summary>
    public override string ToString() => $"{nameof(Connection)} {Id}";
}
