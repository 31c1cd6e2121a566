using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Basiq.Auth;

/// <inheritdoc />
internal sealed class ApiKeyProvider(
    SecretClient secrets, IOptionsMonitor<BasiqOptions> options, TimeProvider timeProvider, ILogger<ApiKeyProvider> logger)
    : IApiKeyProvider, IDisposable
{
    private static readonly TimeSpan CachedFor = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A key that stays refused is looked up no more often than this, however many calls it fails.</summary>
    internal static readonly TimeSpan PauseBetweenLookups = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile Cached? _cached;
    private DateTimeOffset? _lastLookup;

    public ValueTask<ApiKey> GetAsync(CancellationToken cancellationToken = default) =>
        _cached is { } cached && timeProvider.GetUtcNow() < cached.Until ? new(cached.Key) : new(ReadOnceAsync(cancellationToken));

    public async ValueTask<ApiKey?> GetOtherThanAsync(ApiKey refused, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(refused);
        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (_cached is { } cached && cached.Key.Value != refused.Value)
                return cached.Key;
            var now = timeProvider.GetUtcNow();
            if (now - _lastLookup < PauseBetweenLookups)
                return null;
            _lastLookup = now;
            var key = await ReadAsync(cancellationToken);
            if (key.Value == refused.Value)
                return null;
            Log.KeyRotated(logger);
            return key;
        }
        finally
        {
            _reading.Release();
        }
    }

    public void Dispose() => _reading.Dispose();

    private async Task<ApiKey> ReadOnceAsync(CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            return _cached is { } cached && timeProvider.GetUtcNow() < cached.Until
                ? cached.Key
                : await ReadAsync(cancellationToken);
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task<ApiKey> ReadAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        string? stored = null;
        string? error = null;
        try
        {
            KeyVaultSecret secret = await secrets.GetSecretAsync(SecretNames.ApiKey, cancellationToken: either.Token);
            stored = secret.Value.Trim();
        }
        catch (RequestFailedException exception) when (exception.Status == 404)
        {
            // Not kept in Key Vault: the setting it is.
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            error = KeyVaultErrors.Report(logger, timeProvider, "read", SecretNames.ApiKey, exception);
        }

        // With Key Vault down, the key that worked so far is a better guess than a setting that may be older.
        var known = error is null ? null : _cached?.Key.Value;
        if ((stored is { Length: > 0 } ? stored : known ?? options.CurrentValue.ApiKey?.Trim()) is not { Length: > 0 } value)
        {
            throw new BasiqException(error is null
                ? new(BasiqFailureKind.Unauthorized, "api-key-missing")
                : new(BasiqFailureKind.Unavailable, "api-key-unavailable") { IsTransient = true });
        }

        if (!AuthorizationHandler.IsCredential(value))
            throw new BasiqException(new(BasiqFailureKind.Unauthorized, "api-key-malformed"));

        var key = _cached is { } cached && cached.Key.Value == value ? cached.Key : new ApiKey(value);
        _cached = new(key, timeProvider.GetUtcNow() + CachedFor);
        return key;
    }

    private sealed record Cached(ApiKey Key, DateTimeOffset Until);
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
