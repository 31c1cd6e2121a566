using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tokens;

/// <summary>Refuses a Key Vault address that cannot work.</summary>
/// <param name="isRequired">Whether the app's own <c>SecretClient</c> is in use, which needs the address.</param>
internal sealed class KeyVaultOptionsValidator(Func<bool> isRequired) : IValidateOptions<KeyVaultOptions>
{
    public ValidateOptionsResult Validate(string? name, KeyVaultOptions options)
    {
        if (string.IsNullOrEmpty(options.Uri))
        {
            return isRequired()
                ? ValidateOptionsResult.Fail("KeyVault:Uri is missing: the vault's address, such as https://my-vault.vault.azure.net.")
                : ValidateOptionsResult.Success;
        }

        return System.Uri.TryCreate(options.Uri, UriKind.Absolute, out var uri) && uri.Scheme == System.Uri.UriSchemeHttps
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail("KeyVault:Uri must be an absolute https URL.");
    }
}
