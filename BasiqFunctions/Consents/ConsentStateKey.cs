using System.Diagnostics.CodeAnalysis;
using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Consents;

/// <summary>
/// The key that signs consent states: a secret in Key Vault, made on first use and kept in memory for some minutes. A rotated key
/// is taken up then, or as soon as a state comes back that the one in memory did not sign.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore hands out no wait handle, so there is nothing to dispose.")]
public sealed class ConsentStateKey(SecretClient secrets, TimeProvider clock, ILogger<ConsentStateKey> logger)
{
    /// <summary>How long a key is used without asking Key Vault again.</summary>
    internal static readonly TimeSpan Freshness = TimeSpan.FromMinutes(5);

    /// <summary>How often forged states can make this ask Key Vault.</summary>
    internal static readonly TimeSpan LeastBetweenReads = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile Held? _held;

    /// <summary>The key. While Key Vault does not answer, the one in memory stays in use.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed, and there is no key in memory.</exception>
    public async ValueTask<byte[]> GetAsync(CancellationToken cancellation) =>
        _held is { } held && clock.GetElapsedTime(held.ReadAt) < Freshness
            ? held.Key
            : await ReadAsync(Freshness, cancellation);

    /// <summary>Reads the key again, unless that was done within the last minute; null when it is the same one.</summary>
    public async ValueTask<byte[]?> GetOtherThanAsync(byte[] tried, CancellationToken cancellation)
    {
        var key = await ReadAsync(LeastBetweenReads, cancellation);
        return key.AsSpan().SequenceEqual(tried) ? null : key;
    }

    private async Task<byte[]> ReadAsync(TimeSpan freshness, CancellationToken cancellation)
    {
        await _reading.WaitAsync(cancellation);
        try
        {
            if (_held is { } held && clock.GetElapsedTime(held.ReadAt) < freshness)
                return held.Key;
            var readAt = clock.GetTimestamp();
            try
            {
                var key = await RandomSecret.GetOrCreateAsync(secrets, SecretNames.ConsentStateKey, clock, logger, cancellation);
                _held = new Held(key, readAt);
            }
            catch (Exception e) when (KeyVaultErrors.IsAway(e) && !cancellation.IsCancellationRequested && _held is not null)
            {
                logger.StateKeyNotRead(e.GetType().Name, (e as RequestFailedException)?.Status);
                _held = _held with { ReadAt = readAt };
            }

            return _held.Key;
        }
        finally
        {
            _reading.Release();
        }
    }

    private sealed record Held(byte[] Key, long ReadAt);
}
