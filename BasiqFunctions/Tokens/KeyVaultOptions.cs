namespace BasiqFunctions.Tokens;

/// <summary>Which Key Vault holds the secrets. Section <c>KeyVault</c>.</summary>
public sealed class KeyVaultOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "KeyVault";

    /// <summary>The vault, such as <c>https://my-vault.vault.azure.net</c>.</summary>
    public string? Uri { get; set; }
}
