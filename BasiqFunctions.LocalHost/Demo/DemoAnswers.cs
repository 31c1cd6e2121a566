using System.Text.Json.Serialization;

namespace BasiqFunctions.LocalHost.Demo;

/// <summary>What the demo reads of a user.</summary>
internal sealed record UserAnswer([property: JsonPropertyName("id")] string Id);

/// <summary>What the demo reads of a client token: not the token.</summary>
internal sealed record TokenAnswer([property: JsonPropertyName("expires_in")] int ExpiresIn);

/// <summary>What the demo reads of a consent link.</summary>
internal sealed record ConsentLinkAnswer(
    [property: JsonPropertyName("url")] Uri Url,
    [property: JsonPropertyName("expiresAt")] DateTimeOffset ExpiresAt);

/// <summary>What the demo reads of a snapshot.</summary>
internal sealed record AccountsAnswer([property: JsonPropertyName("accounts")] IReadOnlyList<AccountAnswer> Accounts);

/// <summary>What the demo shows of an account.</summary>
internal sealed record AccountAnswer(
    [property: JsonPropertyName("name")] string? Name,
    [property: JsonPropertyName("accountNo")] string? AccountNo,
    [property: JsonPropertyName("balance")] string? Balance,
    [property: JsonPropertyName("availableFunds")] string? AvailableFunds,
    [property: JsonPropertyName("currency")] string? Currency,
    [property: JsonPropertyName("class")] AccountClassAnswer? Class);

/// <summary>What the demo shows of an account's class.</summary>
internal sealed record AccountClassAnswer([property: JsonPropertyName("type")] string? Type);
