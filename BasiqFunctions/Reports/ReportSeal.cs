using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Reports;

/// <summary>
/// Makes the keys by which what reports say is encrypted: each blob has one of its own, which lies at its beginning wrapped by a key of Key
/// Vault's (AES-256-GCM). Which version of that wrapped it stands there too: after a rotation new blobs take the new version, and old ones are
/// opened with theirs.
/// </summary>
/// <remarks>
/// A blob begins with: format (1 byte), length of the version's name (1), the name, nonce and tag of the wrapped key (12 and 16), the wrapped
/// key (32). The key is bound to the blob's name, so that nobody can put one in the place of another. Then come the segments of
/// <see cref="SegmentCipher"/>.
/// </remarks>
internal sealed class ReportSeal(SecretClient vault, TimeProvider clock, ILogger<ReportSeal> logger)
{
    /// <summary>How long the beginning of a blob may be.</summary>
    public const int MaxHeaderBytes = 2 + byte.MaxValue + WrappedBytes;

    private const byte Format = 1;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int KeyBytes = 32;
    private const int WrappedBytes = NonceBytes + TagBytes + KeyBytes;

    /// <summary>How long a rotated key may go on wrapping new blobs.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(5);

    private readonly CachedSecret<WrappingKey> _latest = new(
        async _ => KeyOf(await RandomSecret.GetOrCreateVersionAsync(vault, SecretNames.ReportKey, clock, logger, CancellationToken.None)), FreshFor, FreshFor, clock);

    private readonly ConcurrentDictionary<string, WrappingKey> _known = new(StringComparer.Ordinal);

    /// <summary>Gives a blob a key: what it begins with, and what encrypts the rest.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed, and no key is in memory.</exception>
    public async ValueTask<(byte[] Header, SegmentCipher Cipher)> BeginAsync(string name, CancellationToken cancellation) =>
        Begin(await _latest.GetAsync(cancellation), name);

    /// <summary>Reads the key of a blob from its beginning, and gives where the rest begins; null when that is damaged, of another blob, or wrapped by a version of the key that is gone.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    public async ValueTask<(int HeaderBytes, SegmentCipher Cipher)?> TryOpenAsync(string name, ReadOnlyMemory<byte> blob, CancellationToken cancellation)
    {
        if (blob.Length < 2 || blob.Span[0] != Format || 2 + blob.Span[1] + WrappedBytes is var length && blob.Length < length)
            return null;
        var version = Encoding.ASCII.GetString(blob.Span.Slice(2, blob.Span[1]));
        return await FindAsync(version, cancellation) is { } wrapping && TryUnwrap(wrapping, name, blob.Span[(length - WrappedBytes)..length]) is { } cipher
            ? (length, cipher)
            : null;
    }

    private static (byte[] Header, SegmentCipher Cipher) Begin(WrappingKey wrapping, string name)
    {
        var version = Encoding.ASCII.GetBytes(wrapping.Version);
        byte[] header = [Format, checked((byte)version.Length), .. version, .. new byte[WrappedBytes]];
        var wrapped = header.AsSpan(2 + version.Length);
        RandomNumberGenerator.Fill(wrapped[..NonceBytes]);
        Span<byte> key = stackalloc byte[KeyBytes];
        RandomNumberGenerator.Fill(key);
        using (var wrap = new AesGcm(wrapping.Bytes, TagBytes))
            wrap.Encrypt(wrapped[..NonceBytes], key, wrapped[(NonceBytes + TagBytes)..], wrapped.Slice(NonceBytes, TagBytes), Encoding.ASCII.GetBytes(name));
        var cipher = new SegmentCipher(key);
        CryptographicOperations.ZeroMemory(key);
        return (header, cipher);
    }

    private static SegmentCipher? TryUnwrap(WrappingKey wrapping, string name, ReadOnlySpan<byte> wrapped)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        try
        {
            using (var wrap = new AesGcm(wrapping.Bytes, TagBytes))
                wrap.Decrypt(wrapped[..NonceBytes], wrapped[(NonceBytes + TagBytes)..], wrapped.Slice(NonceBytes, TagBytes), key, Encoding.ASCII.GetBytes(name));
            return new SegmentCipher(key);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private async ValueTask<WrappingKey?> FindAsync(string version, CancellationToken cancellation)
    {
        if (_known.TryGetValue(version, out var known))
            return known;
        try
        {
            return _known[version] = KeyOf(await vault.GetSecretAsync(SecretNames.ReportKey, version, cancellationToken: cancellation));
        }
        catch (RequestFailedException exception) when (exception.Status is 404 or 400 || KeyVaultErrors.Code(exception) is KeyVaultErrors.Disabled)
        {
            // Purged or disabled; without access nobody can tell.
            KeyVaultErrors.Report(logger, clock, "read", SecretNames.ReportKey, exception);
            return null;
        }
    }

    private static WrappingKey KeyOf(KeyVaultSecret secret) => new(
        secret.Properties.Version, HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret.Value), KeyBytes, info: "report-key"u8.ToArray()));

    private sealed record WrappingKey(string Version, byte[] Bytes)
    {
        /// <summary>Keys do not belong in any text.</summary>
        public override string ToString() => nameof(WrappingKey);
    }
}
