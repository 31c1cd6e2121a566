using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Webhooks;

/// <summary>
/// The secrets that Basiq may sign with: the current version of Key Vault's <c>basiq-webhook-secret</c>, and for a while after it was
/// replaced (<see cref="WebhookOptions.SecretOverlap"/>) each version before it, unless that was disabled.
/// </summary>
internal sealed class WebhookSecrets(SecretClient secrets, IOptions<WebhookOptions> options, TimeProvider clock, ILogger<WebhookSecrets> logger)
{
    /// <summary>After which a secret in memory is read anew.</summary>
    internal static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>How often signatures that fit no secret make this ask Key Vault for another.</summary>
    internal static readonly TimeSpan LeastBetweenReads = TimeSpan.FromSeconds(10);

    /// <summary>How long a caller waits for fresh secrets before it is given those in memory.</summary>
    internal static readonly TimeSpan PatienceForFresh = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly CachedSecret<IReadOnlyList<byte[]>> _keys = new(
        _ => ReadAsync(secrets, options.Value.SecretOverlap, clock, logger), Lifetime, LeastBetweenReads, clock)
    {
        PatienceForFresh = PatienceForFresh,
    };

    /// <summary>The keys at hand, the current one first; none when there is no secret.</summary>
    /// <param name="unfit">Keys that did not fit: others are looked for, where that is not done too often.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="RequestFailedException">Key Vault failed, and nothing is in memory.</exception>
    public ValueTask<IReadOnlyList<byte[]>> GetKeysAsync(IReadOnlyList<byte[]>? unfit, CancellationToken cancellation) => _keys.GetAsync(cancellation, unfit);

    /// <summary>Stores a secret as the current one, unless it is that already.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    public async Task StoreAsync(string secret, CancellationToken cancellation)
    {
        if (await CurrentAsync(cancellation) == secret)
            return;
        await DeletedSecrets.RecoverForAsync(
            secrets,
            SecretNames.WebhookSecret,
            clock,
            logger,
            async token => (await secrets.SetSecretAsync(
                new KeyVaultSecret(SecretNames.WebhookSecret, secret) { Properties = { ContentType = "Basiq webhook secret" } }, token)).Value,
            cancellation);

        // Who is reading now may have seen what was current before.
        _keys.Forget();
    }

    /// <summary>Whether there is a secret.</summary>
    public async Task<bool> AnyAsync(CancellationToken cancellation) => await CurrentAsync(cancellation) is not null;

    private async Task<string?> CurrentAsync(CancellationToken cancellation)
    {
        try
        {
            return (await secrets.GetSecretAsync(SecretNames.WebhookSecret, cancellationToken: cancellation)).Value.Value;
        }
        catch (RequestFailedException exception)
            when (exception.Status == 404 || (exception.Status == 403 && KeyVaultErrors.Code(exception) is KeyVaultErrors.Disabled))
        {
            return null;
        }
    }

    private static async Task<IReadOnlyList<byte[]>> ReadAsync(SecretClient secrets, TimeSpan overlap, TimeProvider clock, ILogger logger)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        try
        {
            List<byte[]> keys = [];
            foreach (var version in await ValidVersionsAsync(secrets, clock.GetUtcNow() - overlap, patience.Token))
            {
                var secret = (await secrets.GetSecretAsync(SecretNames.WebhookSecret, version, cancellationToken: patience.Token)).Value.Value;
                if (StandardWebhooks.KeyOf(secret) is { } key)
                    keys.Add(key);
                else
                    Log.SecretUnusable(logger, SecretNames.WebhookSecret);
            }

            return keys;
        }
        catch (Exception exception)
        {
            KeyVaultErrors.Report(logger, clock, "read", SecretNames.WebhookSecret, exception);
            throw;
        }
    }

    private static async Task<IReadOnlyList<string>> ValidVersionsAsync(SecretClient secrets, DateTimeOffset replacedSince, CancellationToken cancellation)
    {
        List<SecretProperties> versions = [];
        try
        {
            await foreach (var version in secrets.GetPropertiesOfSecretVersionsAsync(SecretNames.WebhookSecret, cancellation))
                versions.Add(version);
        }
        catch (RequestFailedException exception) when (exception.Status == 404)
        {
            return [];
        }

        // A version counts until some time after the next one was made; of the last, there is no next.
        List<string> valid = [];
        DateTimeOffset? replacedAt = null;
        foreach (var version in versions.OrderByDescending(v => v.CreatedOn))
        {
            if (replacedAt <= replacedSince)
                break;
            if (version.Enabled is not false)
                valid.Add(version.Version);
            replacedAt = version.CreatedOn;
        }

        return valid;
    }
}
