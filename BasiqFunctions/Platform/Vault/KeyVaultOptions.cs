using Microsoft.Extensions.Options;

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

/// <summary>Refuses a place for the secrets that cannot work.</summary>
/// <param name="isRequired">Whether the app's own <c>SecretClient</c> is in use, which needs a place.</param>
/// <param name="runsInAzure">Whether this is Azure, where a file is no vault.</param>
internal sealed class KeyVaultOptionsValidator(Func<bool> isRequired, Func<bool> runsInAzure) : IValidateOptions<KeyVaultOptions>
{
    public ValidateOptionsResult Validate(string? name, KeyVaultOptions options) =>
        Failure(options) is { } failure ? ValidateOptionsResult.Fail(failure) : ValidateOptionsResult.Success;

    private string? Failure(KeyVaultOptions options)
    {
        if (string.IsNullOrEmpty(options.Uri))
        {
            if (!isRequired())
                return null;
            if (string.IsNullOrEmpty(options.LocalFile))
            {
                return "KeyVault:Uri is missing: the vault's address, such as https://my-vault.vault.azure.net. On a developer's "
                    + "machine without a vault, set KeyVault:LocalFile to a file that may keep the secrets.";
            }

            return runsInAzure()
                ? "KeyVault:LocalFile is for a developer's machine: set KeyVault:Uri to the vault's address."
                : null;
        }

        if (!System.Uri.TryCreate(options.Uri, UriKind.Absolute, out var uri) || uri.Scheme != System.Uri.UriSchemeHttps)
            return "KeyVault:Uri must be an absolute https URL.";
        return string.IsNullOrEmpty(options.LocalFile)
            ? null
            : "KeyVault:LocalFile and KeyVault:Uri are both set: the secrets are kept in one place.";
    }
}
