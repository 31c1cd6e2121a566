using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;

namespace BasiqFunctions.Platform.Vault;

/// <summary>Makes the client of a vault, with what its calls may cost.</summary>
/// <remarks>
/// A caller that needs a token gives Key Vault five seconds in all and then does without. In these fit two attempts at a vault that does
/// not answer, or all four at one that answers and refuses; a <c>Retry-After</c> is waited for as long as it fits.
/// </remarks>
internal static class KeyVaultClient
{
    internal const int MaxRetries = 3;

    /// <param name="vault">The vault's address.</param>
    /// <param name="credential">Who the app is.</param>
    /// <param name="transport">Carries the requests; the SDK's own unless given.</param>
    public static SecretClient Create(Uri vault, TokenCredential credential, HttpPipelineTransport? transport = null)
    {
        var options = new SecretClientOptions
        {
            Retry =
            {
                Mode = RetryMode.Exponential,
                MaxRetries = MaxRetries,
                Delay = TimeSpan.FromMilliseconds(200),
                MaxDelay = TimeSpan.FromSeconds(2),
                NetworkTimeout = TimeSpan.FromSeconds(2),
            },
        };
        if (transport is not null)
            options.Transport = transport;
        return new SecretClient(vault, credential, options);
    }
}
