using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>A transaction. Money is text, as Basiq sends it.</summary>
[JsonConverter(typeof(BasiqResourceConverter<Transaction>))]
public sealed record Transaction : IBasiqResource<Transaction>
{
    private Transaction(JsonElement json) => (Json, Id) = (json, json.RequiredText("id"));

    /// <inheritdoc />
    public JsonElement Json { get; }

    /// <summary>Basiq's id.</summary>
    public string Id { get; }

    /// <summary><c>pending</c> or <c>posted</c>.</summary>
    public string? Status => Json.Text("status");

    /// <summary>The bank's text.</summary>
    public string? Description => Json.Text("description");

    /// <summary>Amount in <see cref="Currency"/>, negative for a debit.</summary>
    public string? Amount => Json.Text("amount");

    /// <summary>Balance after it.</summary>
    public string? Balance => Json.Text("balance");

    /// <summary>ISO 4217 code.</summary>
    public string? Currency => Json.Text("currency");

    /// <summary><c>debit</c> or <c>credit</c>.</summary>
    public string? Direction => Json.Text("direction");

    /// <summary>Such as <c>payment</c>, <c>transfer</c>.</summary>
    public string? Class => Json.Text("class");

    /// <summary>When it was posted, ISO 8601; empty or null while pending.</summary>
    public string? PostDate => Json.Text("postDate");

    /// <summary>When it was made, ISO 8601, if the bank says.</summary>
    public string? TransactionDate => Json.Text("transactionDate");

    /// <summary>The account.</summary>
    public string? AccountId => Json.Text("account");

    /// <summary>The connection.</summary>
    public string? ConnectionId => Json.Text("connection");

    /// <summary>The bank.</summary>
    public string? InstitutionId => Json.Text("institution");

    /// <inheritdoc />
    public static Transaction From(JsonElement json) => new(json);

    /// <summary>Reads one from its JSON text.</summary>
    /// <exception cref="JsonException">It is not a JSON object, or has no <c>id</c>.</exception>
    public static Transaction Parse(string json) => From(JsonElement.Parse(json));

    /// <summary>The id alone: the rest may be personal data.</summary>
    public override string ToString() => $"{nameof(Transaction)} {Id}";
}
