using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>A bank account. Money is text, as Basiq sends it.</summary>
[JsonConverter(typeof(BasiqResourceConverter<Account>))]
public sealed record Account : IBasiqResource<Account>
{
    private Account(JsonElement json) => (Json, Id) = (json, new(json.RequiredText("id")));

    /// <inheritdoc />
    public JsonElement Json { get; }

    /// <summary>Basiq's id.</summary>
    public AccountId Id { get; }

    /// <summary>The account's name.</summary>
    public string? Name => Json.Text("name");

    /// <summary>Account number, personal data.</summary>
    public string? AccountNo => Json.Text("accountNo");

    /// <summary>Balance in <see cref="Currency"/>, null when the bank gives none.</summary>
    public string? Balance => Json.Text("balance");

    /// <summary>Available funds in <see cref="Currency"/>, null when the bank gives none.</summary>
    public string? AvailableFunds => Json.Text("availableFunds");

    /// <summary>Credit limit in <see cref="Currency"/>.</summary>
    public string? CreditLimit => Json.Text("creditLimit");

    /// <summary>ISO 4217 code.</summary>
    public string? Currency => Json.Text("currency");

    /// <summary>Such as <c>transaction</c>, <c>savings</c>, <c>credit-card</c>, <c>mortgage</c>.</summary>
    public string? ClassType => Json.Text("class", "type");

    /// <summary>The bank's name of the product.</summary>
    public string? Product => Json.Text("class", "product");

    /// <summary>The connection it came through.</summary>
    public ConnectionId? ConnectionId => Json.Text("connection") is { } id ? new(id) : null;

    /// <summary>The bank.</summary>
    public string? InstitutionId => Json.Text("institution");

    /// <summary><c>available</c> or <c>unavailable</c>.</summary>
    public string? Status => Json.Text("status");

    /// <summary>When Basiq last fetched it, ISO 8601.</summary>
    public string? LastUpdated => Json.Text("lastUpdated");

    /// <summary>Holder, personal data.</summary>
    public string? AccountHolder => Json.Text("accountHolder");

    /// <inheritdoc />
    public static Account From(JsonElement json) => new(json);

    /// <summary>Reads one from its JSON text.</summary>
    /// <exception cref="JsonException">It is not a JSON object, or has no <c>id</c>.</exception>
    public static Account Parse(string json) => From(JsonElement.Parse(json));

    /// <summary>The id alone: the rest may be personal data.</summary>
    public override string ToString() => $"{nameof(Account)} {Id}";
}
