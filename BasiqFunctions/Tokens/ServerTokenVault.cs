using System.Globalization;
using Azure;
using Azure.Security.KeyVault.Secrets;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tokens;

/// <summary>
/// The server token in Key Vault, shared by all instances. Key Vault being down is not fatal to anyone who asks here: it is
/// logged, and <see cref="LastError"/> tells health.
/// </summary>
internal sealed class ServerTokenVault(SecretClient secrets, TimeProvider timeProvider, ILogger<ServerTokenVault> logger)
{
    private const string MintedAtTag = "mintedAt";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CleaningPatience = TimeSpan.FromMinutes(2);

    private volatile string? _lastError;

    /// <summary>Code of the last failure, null since the last success.</summary>
    public string? LastError => _lastError;

    /// <summary>The stored token if there is one that is enabled and has not expired, else null.</summary>
    public async Task<ServerToken?> ReadAsync()
    {
        using var patience = new CancellationTokenSource(Patience, timeProvider);
        try
        {
            KeyVaultSecret secret = await secrets.GetSecretAsync(SecretNames.ServerToken, cancellationToken: patience.Token);
            _lastError = null;
            var properties = secret.Properties;
            return properties.Enabled is not false
                && AuthorizationHandler.IsCredential(secret.Value)
                && properties.ExpiresOn is { } expiresOn
                && expiresOn > timeProvider.GetUtcNow()
                    ? new(secret.Value, MintedAt(properties) ?? properties.CreatedOn ?? expiresOn, expiresOn)
                    : null;
        }
        catch (RequestFailedException exception)
            when (exception.Status == 404 || (exception.Status == 403 && KeyVaultErrors.Code(exception) is KeyVaultErrors.Disabled))
        {
            _lastError = null;
            return null;
        }
        catch (Exception exception)
        {
            Failed("read", exception);
            return null;
        }
    }

    /// <summary>
    /// Stores a token with its expiry, under a name that is recovered if it was deleted; returns the version, or null when Key Vault
    /// failed.
    /// </summary>
    public async Task<string?> StoreAsync(ServerToken token)
    {
        var secret = new KeyVaultSecret(SecretNames.ServerToken, token.Value)
        {
            Properties =
            {
                ContentType = "Basiq SERVER_ACCESS token",
                ExpiresOn = token.ExpiresAt,
                Tags =
                {
                    ["scope"] = "SERVER_ACCESS",
                    [MintedAtTag] = token.MintedAt.ToString("O", CultureInfo.InvariantCulture),
                },
            },
        };
        try
        {
            var stored = await DeletedSecret.RecoverForAsync(
                secrets,
                SecretNames.ServerToken,
                timeProvider,
                logger,
                async cancellation =>
                {
                    using var patience = new CancellationTokenSource(Patience, timeProvider);
                    using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
                    return (await secrets.SetSecretAsync(secret, either.Token)).Value;
                },
                CancellationToken.None);
            _lastError = null;
            return stored.Properties.Version;
        }
        catch (Exception exception)
        {
            Failed("store", exception);
            return null;
        }
    }

    /// <summary>Disables every version but the current one that is enabled and has expired.</summary>
    public async Task DisableSupersededAsync(string currentVersion, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(CleaningPatience, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var disabled = 0;
        try
        {
            await foreach (var version in secrets.GetPropertiesOfSecretVersionsAsync(SecretNames.ServerToken, either.Token))
            {
                if (version.Version == currentVersion
                    || version.Enabled is false
                    || version.ExpiresOn is not { } expiresOn
                    || expiresOn > timeProvider.GetUtcNow())
                    continue;
                version.Enabled = false;
                await secrets.UpdateSecretPropertiesAsync(version, either.Token);
                disabled++;
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Failed("disable superseded versions of", exception);
        }

        if (disabled > 0)
            Log.VersionsDisabled(logger, disabled);
    }

    private static DateTimeOffset? MintedAt(SecretProperties properties) =>
        properties.Tags.TryGetValue(MintedAtTag, out var text)
        && DateTimeOffset.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out var mintedAt)
            ? mintedAt
            : null;

    private void Failed(string action, Exception exception) =>
        _lastError = KeyVaultErrors.Report(logger, timeProvider, action, SecretNames.ServerToken, exception);
}
