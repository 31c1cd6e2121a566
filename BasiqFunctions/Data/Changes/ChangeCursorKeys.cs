using System.Diagnostics.CodeAnalysis;
using System.Text;
using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Data.Changes;

/// <summary>
/// The keys that sign cursors: the versions of a secret in Key Vault, which is made on first use. The current one signs; all that are
/// enabled are taken, so that a rotation ends no cursor, and to disable a version ends those that it signed.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore hands out no wait handle, so there is nothing to dispose.")]
public sealed class ChangeCursorKeys(SecretClient secrets, TimeProvider clock, ILogger<ChangeCursorKeys> logger)
{
    /// <summary>How long keys are used without asking Key Vault again.</summary>
    internal static readonly TimeSpan Freshness = TimeSpan.FromMinutes(5);

    /// <summary>How often forged cursors can make this ask Key Vault.</summary>
    internal static readonly TimeSpan LeastBetweenReads = TimeSpan.FromMinutes(1);

    /// <summary>Cursors last some months, and nobody rotates so often.</summary>
    private const int MostVersions = 12;

    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile Held? _held;

    /// <summary>The current key. While Key Vault does not answer, the one in memory stays in use.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed, and there is no key in memory.</exception>
    public async ValueTask<byte[]> GetAsync(CancellationToken cancellation) => (await HeldAsync(held => Age(held.ReadAt) < Freshness, ofAll: false, cancellation)).Current;

    /// <summary>All keys, the current one among them.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed, and they are not in memory.</exception>
    public async ValueTask<IReadOnlyList<byte[]>> GetAllAsync(CancellationToken cancellation) =>
        (await HeldAsync(held => held.All is not null && Age(held.AllReadAt) < LeastBetweenReads, ofAll: true, cancellation)).All!;

    private TimeSpan Age(long readAt) => clock.GetElapsedTime(readAt);

    private async ValueTask<Held> HeldAsync(Predicate<Held> isGood, bool ofAll, CancellationToken cancellation)
    {
        if (_held is { } good && isGood(good))
            return good;
        await _reading.WaitAsync(cancellation);
        try
        {
            if (_held is { } held && isGood(held))
                return held;
            var readAt = clock.GetTimestamp();
            try
            {
                var current = await RandomSecret.GetOrCreateAsync(secrets, SecretNames.ChangeCursorKey, clock, logger, cancellation);
                _held = ofAll
                    ? new Held(current, readAt, await ReadAllAsync(cancellation), readAt)
                    : new Held(current, readAt, _held?.All, _held?.AllReadAt ?? 0);
            }
            catch (Exception e) when (KeyVaultErrors.IsAway(e) && !cancellation.IsCancellationRequested && _held is { } known && (!ofAll || known.All is not null))
            {
                _held = known with { ReadAt = readAt, AllReadAt = ofAll ? readAt : known.AllReadAt };
            }

            return _held;
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task<IReadOnlyList<byte[]>> ReadAllAsync(CancellationToken cancellation)
    {
        List<SecretProperties> versions = [];
        await foreach (var version in secrets.GetPropertiesOfSecretVersionsAsync(SecretNames.ChangeCursorKey, cancellation))
        {
            if (version.Enabled is not false)
                versions.Add(version);
        }

        List<byte[]> keys = [];
        foreach (var version in versions.OrderByDescending(version => version.CreatedOn).Take(MostVersions))
            keys.Add(Encoding.UTF8.GetBytes((await secrets.GetSecretAsync(version.Name, version.Version, cancellationToken: cancellation)).Value.Value));
        return keys;
    }

    private sealed record Held(byte[] Current, long ReadAt, IReadOnlyList<byte[]>? All, long AllReadAt)
    {
        /// <summary>Keys do not belong into any text.</summary>
        public override string ToString() => nameof(Held);
    }
}
