using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Vault.LocalVault;

/// <summary>One version of a secret, as the file keeps it.</summary>
internal sealed record SecretVersion(
    [property: JsonPropertyName("version")] string Version,
    [property: JsonPropertyName("value")] string Value,
    [property: JsonPropertyName("contentType")] string? ContentType,
    [property: JsonPropertyName("tags")] Dictionary<string, string>? Tags,
    [property: JsonPropertyName("attributes")] SecretAttributes Attributes)
{
    public override string ToString() => Version;
}

/// <summary>A version's attributes, in Key Vault's names; times are Unix seconds.</summary>
internal sealed record SecretAttributes(
    [property: JsonPropertyName("enabled")] bool? Enabled = null,
    [property: JsonPropertyName("exp")] long? Expires = null,
    [property: JsonPropertyName("nbf")] long? NotBefore = null,
    [property: JsonPropertyName("created")] long? Created = null,
    [property: JsonPropertyName("updated")] long? Updated = null);
