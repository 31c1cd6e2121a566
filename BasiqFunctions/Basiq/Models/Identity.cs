using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>Who a bank says that a person is (Basiq, API reference: Identities). All of it is personal data.</summary>
[JsonConverter(typeof(BasiqResourceConverter<Identity>))]
public sealed record Identity : IBasiqResource<Identity>
{
    private Identity(JsonElement json) => (Json, Id) = (json, json.RequiredText("id"));

    /// <inheritdoc />
    public JsonElement Json { get; }

    /// <summary>Basiq's id.</summary>
    public string Id { get; }

    /// <summary>The whole name.</summary>
    public string? FullName => Json.Text("fullName");

    /// <summary>The given name.</summary>
    public string? FirstName => Json.Text("firstName");

    /// <summary>The names between the given name and the family's.</summary>
    public string? MiddleName => Json.Text("middleName");

    /// <summary>The family's name.</summary>
    public string? LastName => Json.Text("lastName");

    /// <summary>The names that it holds: of a person whole and in parts, and of an organisation.</summary>
    public IEnumerable<string> Names =>
        Present(
            FullName,
            Joined(" ", FirstName, MiddleName, LastName),
            Json.Text("organisation", "businessName"),
            Json.Text("organisation", "legalName"));

    /// <summary>The date of birth as the bank writes it.</summary>
    internal string? DateOfBirth => Json.Text("DOB");

    /// <summary>The addresses that it holds, each in one line: as Basiq formats it, and put together from its parts.</summary>
    public IEnumerable<string> Addresses =>
        Json.TryGetProperty("physicalAddresses", out var addresses) && addresses.ValueKind is JsonValueKind.Array
            ? addresses.EnumerateArray().SelectMany(address => Present(
                address.Text("formattedAddress"),
                Joined(
                    ", ",
                    address.Text("addressLine1"),
                    address.Text("addressLine2"),
                    address.Text("addressLine3"),
                    address.Text("city"),
                    address.Text("state"),
                    address.Text("postcode"))))
            : [];

    /// <inheritdoc />
    public static Identity From(JsonElement json) => new(json);

    /// <summary>The id alone: the rest is personal data.</summary>
    public override string ToString() => $"{nameof(Identity)} {Id}";

    private static IEnumerable<string> Present(params IEnumerable<string?> texts) => texts.OfType<string>().Where(text => !string.IsNullOrWhiteSpace(text));

    private static string Joined(string separator, params IEnumerable<string?> parts) => string.Join(separator, Present(parts));
}
