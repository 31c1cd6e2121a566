using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Vault.LocalVault;

/// <summary>Body of a set or an update.</summary>
internal sealed record SecretRequest(
    [property: JsonPropertyName("value")] string? Value,
    [property: JsonPropertyName("contentType")] string? ContentType,
    [property: JsonPropertyName("attributes")] SecretAttributes? Attributes,
    [property: JsonPropertyName("tags")] Dictionary<string, string>? Tags);

/// <summary>A secret as Key Vault answers with it; a listing leaves the value out.</summary>
internal sealed record SecretBundle(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("value")] string? Value,
    [property: JsonPropertyName("contentType")] string? ContentType,
    [property: JsonPropertyName("attributes")] SecretAttributes Attributes,
    [property: JsonPropertyName("tags")] Dictionary<string, string>? Tags);

/// <summary>A page of a listing.</summary>
internal sealed record SecretPage(
    [property: JsonPropertyName("value")] IReadOnlyList<SecretBundle> Value,
    [property: JsonPropertyName("nextLink")] string? NextLink);

/// <summary>An error in Key Vault's shape.</summary>
internal sealed record KeyVaultError([property: JsonPropertyName("error")] KeyVaultErrorBody Error);

internal sealed record KeyVaultErrorBody(
    [property: JsonPropertyName("code")] string Code,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("innererror")] KeyVaultInnerError? Inner = null);

internal sealed record KeyVaultInnerError([property: JsonPropertyName("code")] string Code);
