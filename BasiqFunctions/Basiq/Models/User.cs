using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>A user of the app at Basiq.</summary>
[JsonConverter(typeof(BasiqResourceConverter<User>))]
public sealed record User : IBasiqResource<User>
{
    private User(JsonElement json) => (Json, Id) = (json, json.RequiredText("id"));

    /// <inheritdoc />
    public JsonElement Json { get; }

    /// <summary>Basiq's id.</summary>
    public string Id { get; }

    /// <summary>E-mail address.</summary>
    public string? Email => Json.Text("email");

    /// <summary>Mobile number, as Basiq spells it.</summary>
    public string? Mobile => Json.Text("mobile");

    /// <summary>Full name.</summary>
    public string? Name => Json.Text("name");

    /// <summary>First name.</summary>
    public string? FirstName => Json.Text("firstName");

    /// <summary>Middle name.</summary>
    public string? MiddleName => Json.Text("middleName");

    /// <summary>Last name.</summary>
    public string? LastName => Json.Text("lastName");

    /// <summary>Name of the business.</summary>
    public string? BusinessName => Json.Text("businessName");

    /// <inheritdoc />
    public static User From(JsonElement json) => new(json);

    /// <summary>Reads one from its JSON text.</summary>
    /// <exception cref="JsonException">It is not a JSON object, or has no <c>id</c>.</exception>
    public static User Parse(string json) => From(JsonElement.Parse(json));

    /// <summary>The id alone: the rest may be personal data.</summary>
    public override string ToString() => $"{nameof(User)} {Id}";
}
