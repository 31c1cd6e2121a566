namespace BasiqFunctions.Platform.Vault;

/// <summary>Which Key Vault holds the secrets. Section <c>KeyVault</c>.</summary>
public sealed class KeyVaultOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "KeyVault";

    /// <summary>The vault, such as <c>https://my-vault.vault.azure.net</c>.</summary>
    public string? Uri { get; set; }

    /// <summary>
    /// On a developer's machine, instead of a vault: the file that keeps the secrets, readable by its owner only. In the Functions
    /// host's <c>Development</c> environment it is <c>BasiqFunctions/keyvault.json</c> in the user's local application data unless
    /// said otherwise. Refused in Azure.
    /// </summary>
    public string? LocalFile { get; set; }
}
