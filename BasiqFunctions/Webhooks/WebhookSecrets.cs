using System.Diagnostics.CodeAnalysis;
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
/// <remarks>
/// However many ask, Key Vault is read once at a time, for itself: whoever cannot wait for the end leaves the others waiting, and finds
/// the secrets in memory the next time.
/// </remarks>
internal sealed class WebhookSecrets(SecretClient secrets, IOptions<WebhookOptions> options, TimeProvider clock, ILogger<WebhookSecrets> logger)
{
    /// <summary>After which a secret in memory is read anew.</summary>
    internal static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>How often signatures that fit no secret make this ask Key Vault for another.</summary>
    internal static readonly TimeSpan LeastBetweenReads = TimeSpan.FromSeconds(10);

    /// <summary>How long whoever has secrets that are due to be read anew waits for that.</summary>
    internal static readonly TimeSpan PatienceForFresh = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private volatile Held? _held;
    private Task<IReadOnlyList<byte[]>>? _reading;

    /// <summary>The keys at hand, the current one first; none when there is no secret.</summary>
    /// <param name="unfit">Keys that did not fit: others are looked for, where that is not done too often.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="RequestFailedException">Key Vault failed, and nothing is in memory.</exception>
    public async ValueTask<IReadOnlyList<byte[]>> GetKeysAsync(IReadOnlyList<byte[]>? unfit, CancellationToken cancellation)
    {
        if (Usable(unfit) is { } usable)
            return usable;
        var reading = Read();
        if (_held is not { } held || ReferenceEquals(held.Keys, unfit))
            return await reading.WaitAsync(cancellation);
        try
        {
            return await reading.WaitAsync(PatienceForFresh, clock, cancellation);
        }
        catch (TimeoutException)
        {
            return held.Keys;
        }
    }

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
        lock (_gate)
        {
            // Who is reading now may have seen what was current before.
            (_held, _reading) = (null, null);
        }
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

    private Task<IReadOnlyList<byte[]>> Read()
    {
        lock (_gate)
        {
            if (_reading is { IsCompleted: false } underWay)
                return underWay;
            TaskCompletionSource<IReadOnlyList<byte[]>> reading = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _reading = reading.Task;
            _ = ReadIntoAsync(reading);
            return reading.Task;
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "It is handed on to whoever waits.")]
    private async Task ReadIntoAsync(TaskCompletionSource<IReadOnlyList<byte[]>> reading)
    {
        await Task.Yield();
        var readAt = clock.GetTimestamp();
        try
        {
            var keys = await ReadAsync();
            Hold(reading.Task, new Held(keys, readAt));
            reading.SetResult(keys);
        }
        catch (Exception exception)
        {
            KeyVaultErrors.Report(logger, clock, "read", SecretNames.WebhookSecret, exception);
            if (_held is { } held)
            {
                // What was good five minutes ago is better than to refuse Basiq.
                Hold(reading.Task, held with { ReadAt = readAt });
                reading.SetResult(held.Keys);
            }
            else
            {
                reading.SetException(exception);
            }
        }
    }

    private void Hold(Task<IReadOnlyList<byte[]>> reading, Held held)
    {
        lock (_gate)
        {
            if (_reading == reading)
                _held = held;
        }
    }

    private async Task<IReadOnlyList<byte[]>> ReadAsync()
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        List<byte[]> keys = [];
        foreach (var version in await ValidVersionsAsync(patience.Token))
        {
            var secret = (await secrets.GetSecretAsync(SecretNames.WebhookSecret, version, cancellationToken: patience.Token)).Value.Value;
            if (StandardWebhooks.KeyOf(secret) is { } key)
                keys.Add(key);
            else
                Log.SecretUnusable(logger, SecretNames.WebhookSecret);
        }

        return keys;
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
