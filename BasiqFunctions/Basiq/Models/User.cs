using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>A user of the app at Basiq.</summary>
[JsonConverter(typeof(BasiqResourceConverter<User>))]
public sealed record User : IBasiqResource<User>
{
    private User(JsonElement json) => (Json, Id) = (json, new(json.RequiredText("id")));

    /// <inheritdoc />
    public JsonElement Json { get; }

    /// <summary>Basiq's id.</summary>
    public UserId Id { get; }

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

/// <summary>
/// What a user is created with or changed to; null leaves a field out. A new user needs e-mail or mobile
/// (Basiq, API reference: Create a user).
/// </summary>
public sealed record UserDetails
{
    /// <summary>E-mail address.</summary>
    public string? Email { get; init; }

    /// <summary>Mobile number in E.164, such as <c>+61410888666</c>.</summary>
    public string? Mobile { get; init; }

    /// <summary>First name.</summary>
    public string? FirstName { get; init; }

    /// <summary>Middle name.</summary>
    public string? MiddleName { get; init; }

    /// <summary>Last name.</summary>
    public string? LastName { get; init; }

    /// <summary>Name of the business.</summary>
    public string? BusinessName { get; init; }

    /// <summary>ABN or ACN of the business.</summary>
    public string? BusinessIdNo { get; init; }

    /// <summary><c>ABN</c> or <c>ACN</c>.</summary>
    public string? BusinessIdNoType { get; init; }

    /// <summary>Address of the business.</summary>
    public BusinessAddress? BusinessAddress { get; init; }

    /// <summary>Whether the business has been verified.</summary>
    public bool? VerificationStatus { get; init; }

    /// <summary>When it was verified, in the caller's notation.</summary>
    public string? VerificationDate { get; init; }

    /// <summary>The type's name alone: every field is personal data.</summary>
    public override string ToString() => nameof(UserDetails);
}

/// <summary>Address of a business user.</summary>
public sealed record BusinessAddress
{
    /// <summary>First line.</summary>
    public string? AddressLine1 { get; init; }

    /// <summary>Second line.</summary>
    public string? AddressLine2 { get; init; }

    /// <summary>Suburb.</summary>
    public string? Suburb { get; init; }

    /// <summary>State, such as <c>NSW</c>.</summary>
    public string? State { get; init; }

    /// <summary>Postcode.</summary>
    public string? Postcode { get; init; }

    /// <summary>Three-letter country code, such as <c>AUS</c>.</summary>
    public string? CountryCode { get; init; }

    /// <summary>The type's name alone: every field is personal data.</summary>
    public override string ToString() => nameof(BusinessAddress);
}
