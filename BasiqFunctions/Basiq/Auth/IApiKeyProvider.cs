namespace BasiqFunctions.Basiq.Auth;

/// <summary>Hands out the Basiq API key: Key Vault's secret if it exists, else the setting <c>Basiq:ApiKey</c>.</summary>
public interface IApiKeyProvider
{
    /// <summary>The key, read again every few minutes.</summary>
    /// <exception cref="Basiq.BasiqException">Neither Key Vault nor the settings hold a key.</exception>
    ValueTask<ApiKey> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Reads the key again after Basiq refused one; returns null when it is still the same.</summary>
    ValueTask<ApiKey?> GetOtherThanAsync(ApiKey refused, CancellationToken cancellationToken = default);
}
