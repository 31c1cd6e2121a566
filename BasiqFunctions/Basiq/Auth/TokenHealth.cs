namespace BasiqFunctions.Basiq.Auth;

/// <summary>How the server token is doing.</summary>
/// <param name="Age">Time since the token in memory was minted; null without one.</param>
/// <param name="ExpiresAt">Its expiry; null without one.</param>
/// <param name="KeyVaultError">Code of Key Vault's last failure, null since it last succeeded.</param>
public sealed record TokenHealth(TimeSpan? Age, DateTimeOffset? ExpiresAt, string? KeyVaultError)
{
    /// <summary>Whether Basiq refused the API key when it was last used: no new token can be had.</summary>
    public bool IsApiKeyRefused { get; init; }
}
