using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Basiq.Auth;

/// <inheritdoc />
internal sealed class ApiKeyProvider(
    SecretClient secrets, IOptionsMonitor<BasiqOptions> options, TimeProvider timeProvider, ILogger<ApiKeyProvider> logger)
    : IApiKeyProvider
{
    private static readonly TimeSpan CachedFor = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A key that stays refused is looked up no more often than this, however many calls it fails.</summary>
    internal static readonly TimeSpan PauseBetweenLookups = TimeSpan.FromSeconds(1);

    private readonly CachedSecret<ApiKey> _key = new(known => ReadAsync(known, secrets, options, timeProvider, logger), CachedFor, PauseBetweenLookups, timeProvider);

    public ValueTask<ApiKey> GetAsync(CancellationToken cancellationToken = default) => _key.GetAsync(cancellationToken);

    public async ValueTask<ApiKey?> GetOtherThanAsync(ApiKey refused, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(refused);
        var key = await _key.GetAsync(cancellationToken, unfit: refused);
        return key.Value == refused.Value ? null : key;
    }

    private static async Task<ApiKey> ReadAsync(
        ApiKey? known, SecretClient secrets, IOptionsMonitor<BasiqOptions> options, TimeProvider timeProvider, ILogger logger)
    {
        using var patience = new CancellationTokenSource(Patience, timeProvider);
        string? stored = null;
        string? error = null;
        try
        {
            KeyVaultSecret secret = await secrets.GetSecretAsync(SecretNames.ApiKey, cancellationToken: patience.Token);
            stored = secret.Value.Trim();
        }
        catch (RequestFailedException exception) when (exception.Status == 404)
        {
            // Not kept in Key Vault: the setting it is.
        }
        catch (Exception exception)
        {
            error = KeyVaultErrors.Report(logger, timeProvider, "read", SecretNames.ApiKey, exception);
        }

        // With Key Vault down, the key that worked so far is a better guess than a setting that may be older.
        var lastGood = error is null ? null : known?.Value;
        if ((stored is { Length: > 0 } ? stored : lastGood ?? options.CurrentValue.ApiKey?.Trim()) is not { Length: > 0 } value)
        {
            throw new BasiqException(error is null
                ? new(BasiqFailureKind.Unauthorized, "api-key-missing")
                : new(BasiqFailureKind.Unavailable, "api-key-unavailable") { IsTransient = true });
        }

        if (!Authorization.IsCredential(value))
            throw new BasiqException(new(BasiqFailureKind.Unauthorized, "api-key-malformed"));

        if (known?.Value == value)
            return known;
        if (known is not null)
            Log.KeyRotated(logger);
        return new ApiKey(value);
    }
}

/// <summary>Hands out the Basiq API key: Key Vault's secret if it exists, else the setting <c>Basiq:ApiKey</c>.</summary>
public interface IApiKeyProvider
{
    /// <summary>The key, read again every few minutes.</summary>
    /// <exception cref="Basiq.BasiqException">Neither Key Vault nor the settings hold a key.</exception>
    ValueTask<ApiKey> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Reads the key again after Basiq refused one; returns null when it is still the same.</summary>
    ValueTask<ApiKey?> GetOtherThanAsync(ApiKey refused, CancellationToken cancellationToken = default);
}

/// <summary>The Basiq API key as issued: already what the Basic scheme wants, never encoded again.</summary>
/// <param name="value">The key, a secret.</param>
public sealed class ApiKey(string value)
{
    /// <summary>The key itself, for the one header that needs it.</summary>
    internal string Value { get; } = value;

    /// <summary>That header. The key goes out as issued (Basiq, Quickstart: API, step 1).</summary>
    internal string Authorization { get; } = "Basic " + value;

    /// <summary>The type's name, never the key.</summary>
    public override string ToString() => nameof(ApiKey);
}
