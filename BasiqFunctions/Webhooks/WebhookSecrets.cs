using System.Diagnostics.CodeAnalysis;
using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Tokens;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Webhooks;

/// <summary>
/// The secrets that Basiq may sign with: the current version of Key Vault's <c>basiq-webhook-secret</c>, and for a while after it was
/// replaced (<see cref="WebhookOptions.SecretOverlap"/>) each version before it, unless that was disabled.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore hands out no wait handle, so there is nothing to dispose.")]
internal sealed class WebhookSecrets(SecretClient secrets, IOptions<WebhookOptions> options, TimeProvider clock, ILogger<WebhookSecrets> logger)
{
    /// <summary>After which a secret in memory is read anew.</summary>
    internal static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>How often signatures that fit no secret make this ask Key Vault for another.</summary>
    internal static readonly TimeSpan LeastBetweenReads = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile Held? _held;

    /// <summary>The keys at hand, the current one first; none when there is no secret.</summary>
    /// <param name="unfit">Keys that did not fit: others are looked for, where that is not done too often.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="RequestFailedException">Key Vault failed, and nothing is in memory.</exception>
    public async ValueTask<IReadOnlyList<byte[]>> GetKeysAsync(IReadOnlyList<byte[]>? unfit, CancellationToken cancellation)
    {
        if (Usable(unfit) is { } usable)
            return usable;
        await _reading.WaitAsync(cancellation);
        try
        {
            return Usable(unfit) ?? await ReadAsync(cancellation);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>Stores a secret as the current one, unless it is that already.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    public async Task StoreAsync(string secret, CancellationToken cancellation)
    {
        if (await CurrentAsync(cancellation) == secret)
            return;
        await Tokens.DeletedSecret.RecoverForAsync(
            secrets,
            SecretNames.WebhookSecret,
            clock,
            logger,
            async token => (await secrets.SetSecretAsync(
                new KeyVaultSecret(SecretNames.WebhookSecret, secret) { Properties = { ContentType = "Basiq webhook secret" } }, token)).Value,
            cancellation);
        _held = null;
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

    private IReadOnlyList<byte[]>? Usable(IReadOnlyList<byte[]>? unfit) =>
        _held is { } held && clock.GetElapsedTime(held.ReadAt) is var age
        && age < Lifetime && (!ReferenceEquals(held.Keys, unfit) || age < LeastBetweenReads)
            ? held.Keys
            : null;

    private async Task<IReadOnlyList<byte[]>> ReadAsync(CancellationToken cancellation)
    {
        var readAt = clock.GetTimestamp();
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            List<byte[]> keys = [];
            foreach (var version in await ValidVersionsAsync(either.Token))
            {
                var secret = (await secrets.GetSecretAsync(SecretNames.WebhookSecret, version, cancellationToken: either.Token)).Value.Value;
                if (WebhookSignature.KeyOf(secret) is { } key)
                    keys.Add(key);
                else
                    Log.SecretUnusable(logger, SecretNames.WebhookSecret);
            }

            _held = new Held(keys, readAt);
            return keys;
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            KeyVaultErrors.Report(logger, "read", SecretNames.WebhookSecret, exception);
            if (_held is not { } held)
                throw;

            // What was good five minutes ago is better than to refuse Basiq.
            _held = held with { ReadAt = readAt };
            return held.Keys;
        }
    }

    private async Task<IReadOnlyList<string>> ValidVersionsAsync(CancellationToken cancellation)
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
            if (replacedAt is { } at && clock.GetUtcNow() - at >= options.Value.SecretOverlap)
                break;
            if (version.Enabled is not false)
                valid.Add(version.Version);
            replacedAt = version.CreatedOn;
        }

        return valid;
    }

    private sealed record Held(IReadOnlyList<byte[]> Keys, long ReadAt);
}
