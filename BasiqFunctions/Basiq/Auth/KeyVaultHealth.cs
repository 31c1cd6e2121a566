using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Health;
using BasiqFunctions.Platform.Vault;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Basiq.Auth;

/// <summary>Whether Key Vault answers, and took the last token.</summary>
internal sealed class KeyVaultHealth(SecretClient secrets, IServerTokenProvider tokens) : IDependency
{
    public string Name => "key-vault";

    /// <summary>While there is a token, the app works without Key Vault.</summary>
    public string StandIn => ServerTokenHealth.DependencyName;

    public async Task<(HealthStatus Status, string? Detail)> AskAsync(DurableTaskClient durable, CancellationToken cancellation)
    {
        try
        {
            await secrets.GetSecretAsync(SecretNames.ConsentStateKey, cancellationToken: cancellation);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            // Made on first use: Key Vault answers, and that was the question.
        }

        return tokens.GetHealth().KeyVaultError is { } error
            ? (HealthStatus.Degraded, $"the last attempt to read or store the token failed: {error}")
            : (HealthStatus.Healthy, null);
    }
}
