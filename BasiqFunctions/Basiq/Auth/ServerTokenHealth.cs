using System.Globalization;
using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Health;
using BasiqFunctions.Platform.Vault;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Basiq.Auth;

/// <summary>The token in memory costs nothing; without one the provider does what the next caller would need anyway.</summary>
internal sealed class ServerTokenHealth(IServerTokenProvider tokens, TimeProvider clock) : IDependency
{
    internal const string DependencyName = "server-token";

    public string Name => DependencyName;

    public async Task<(HealthStatus Status, string? Detail)> AskAsync(DurableTaskClient durable, CancellationToken cancellation)
    {
        if (tokens.GetHealth().IsApiKeyRefused && !await IsApiKeyTakenAgainAsync(cancellation))
            return (HealthStatus.Unhealthy, BasiqFailure.ApiKeyRefusedCode);
        var now = clock.GetUtcNow();
        if (tokens.GetHealth() is not { Age: { } age, ExpiresAt: { } expiresAt } || expiresAt <= now)
        {
            try
            {
                var token = await tokens.GetAsync(cancellation);
                (age, expiresAt) = (now - token.MintedAt, token.ExpiresAt);
            }
            catch (BasiqException) when (tokens.GetHealth().IsApiKeyRefused)
            {
                return (HealthStatus.Unhealthy, BasiqFailure.ApiKeyRefusedCode);
            }
        }

        // Clocks differ from one machine to the next: a token that another one minted may seem to be from the future.
        var seconds = Math.Max(0, (long)age.TotalSeconds);
        return (HealthStatus.Healthy, string.Create(CultureInfo.InvariantCulture, $"minted {seconds} s ago, expires {expiresAt:u}"));
    }

    /// <summary>
    /// A refused key spoils what is to come, not the token in memory: so nobody else may ask for one soon. This does, at the pace
    /// of the back-off, and a key that was replaced shows at once.
    /// </summary>
    private async Task<bool> IsApiKeyTakenAgainAsync(CancellationToken cancellation)
    {
        try
        {
            await tokens.RefreshAsync(cancellation);
            return true;
        }
        catch (BasiqException) when (tokens.GetHealth().IsApiKeyRefused)
        {
            return false;
        }
    }
}

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
