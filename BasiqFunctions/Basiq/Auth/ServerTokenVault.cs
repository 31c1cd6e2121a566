using System.Globalization;
using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Basiq.Auth;

/// <summary>
/// The server token in Key Vault, shared by all instances. Key Vault being down is not fatal to anyone who asks here: it is
/// logged, and <see cref="LastError"/> tells health.
/// </summary>
internal sealed class ServerTokenVault(SecretClient secrets, TimeProvider timeProvider, ILogger<ServerTokenVault> logger)
{
    private const string MintedAtTag = "mintedAt";

    /// <summary>Names the versions before this one that are still enabled: the one that it replaced, and any that could not be disabled.</summary>
    private const string ReplacesTag = "replaces";

    /// <summary>As many as a tag has room for (Microsoft Learn, "About Azure Key Vault secrets": 256 characters).</summary>
    private const int MostNamed = 7;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

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
                && Authorization.IsCredential(secret.Value)
                && properties.ExpiresOn is { } expiresOn
                && expiresOn > timeProvider.GetUtcNow()
                    ? new(secret.Value, MintedAt(properties) ?? properties.CreatedOn ?? expiresOn, expiresOn)
                    : null;
        }
        catch (RequestFailedException exception) when (IsAbsence(exception))
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
    /// failed. Two versions stay enabled: the new one and the one that it replaces.
    /// </summary>
    /// <remarks>
    /// The latest version tells by a tag which one it replaced. That one is disabled before the new version is stored: a process that dies
    /// in between leaves a latest version that tells the same to the next, so no version is ever lost sight of, and none has to be listed.
    /// </remarks>
    public async Task<string?> StoreAsync(ServerToken token)
    {
        try
        {
            var stored = await DeletedSecrets.RecoverForAsync(
                secrets,
                SecretNames.ServerToken,
                timeProvider,
                logger,
                async cancellation =>
                {
                    using var patience = new CancellationTokenSource(Patience, timeProvider);
                    using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
                    var replaced = await ReplaceAsync(either.Token);
                    return (await secrets.SetSecretAsync(NewVersion(token, replaced), either.Token)).Value;
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

    /// <summary>Disables a version that is not the latest; returns whether it is.</summary>
    public async Task<bool> DisableAsync(string version, CancellationToken cancellationToken)
    {
        try
        {
            var id = new Uri(secrets.VaultUri, $"secrets/{SecretNames.ServerToken}/{version}");
            await secrets.UpdateSecretPropertiesAsync(new SecretProperties(id) { Enabled = false }, cancellationToken);
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Failed("disable a replaced version of", exception);
            return false;
        }
    }

    /// <summary>Disables what the latest version replaced, and returns what the next one is to name: the latest, and what is still enabled.</summary>
    private async Task<IReadOnlyList<string>> ReplaceAsync(CancellationToken cancellationToken)
    {
        SecretProperties latest;
        try
        {
            latest = (await secrets.GetSecretAsync(SecretNames.ServerToken, cancellationToken: cancellationToken)).Value.Properties;
        }
        catch (RequestFailedException exception) when (IsAbsence(exception))
        {
            return [];
        }

        List<string> enabled = [latest.Version];
        foreach (var version in latest.Tags.TryGetValue(ReplacesTag, out var named) ? named.Split(' ', StringSplitOptions.RemoveEmptyEntries) : [])
        {
            if (!await DisableAsync(version, cancellationToken) && enabled.Count < MostNamed)
                enabled.Add(version);
        }

        return enabled;
    }

    private static KeyVaultSecret NewVersion(ServerToken token, IReadOnlyList<string> replaced)
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
        if (replaced.Count > 0)
            secret.Properties.Tags[ReplacesTag] = string.Join(' ', replaced);
        return secret;
    }

    /// <summary>Whether there is no such secret, or its latest version is switched off.</summary>
    private static bool IsAbsence(RequestFailedException exception) =>
        exception.Status == 404 || (exception.Status == 403 && KeyVaultErrors.Code(exception) is KeyVaultErrors.Disabled);

    private static DateTimeOffset? MintedAt(SecretProperties properties) =>
        properties.Tags.TryGetValue(MintedAtTag, out var text)
        && DateTimeOffset.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out var mintedAt)
            ? mintedAt
            : null;

    private void Failed(string action, Exception exception) =>
        _lastError = KeyVaultErrors.Report(logger, timeProvider, action, SecretNames.ServerToken, exception);
}
