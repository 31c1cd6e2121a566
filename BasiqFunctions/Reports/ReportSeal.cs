using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Reports;

/// <summary>
/// Encrypts what reports say (AES-256-GCM), each blob with a key of its own, which lies beside it wrapped by a key of Key Vault's. Which
/// version of that wrapped it stands there too: after a rotation new blobs take the new version, and old ones are opened with theirs.
/// </summary>
/// <remarks>
/// A blob is: format (1 byte), length of the version's name (1), the name, nonce and tag of the wrapped key (12 and 16), the wrapped key (32),
/// nonce and tag of the content (12 and 16), the content. Key and content are bound to the blob's name, so that nobody can put one in the
/// place of another.
/// </remarks>
internal sealed class ReportSeal(SecretClient vault, TimeProvider clock, ILogger<ReportSeal> logger)
{
    private const byte Format = 1;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int KeyBytes = 32;

    /// <summary>How long a rotated key may go on wrapping new blobs.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(5);

    private readonly CachedSecret<WrappingKey> _latest = new(
        async _ => KeyOf(await RandomSecret.GetOrCreateVersionAsync(vault, SecretNames.ReportKey, clock, logger, CancellationToken.None)), FreshFor, FreshFor, clock);

    private readonly ConcurrentDictionary<string, WrappingKey> _known = new(StringComparer.Ordinal);

    /// <summary>Encrypts the content of a blob.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed, and no key is in memory.</exception>
    public async ValueTask<byte[]> SealAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var wrapping = await _latest.GetAsync(cancellation);
        return Seal(wrapping, name, content.Span);
    }

    /// <summary>Opens a blob; null when it is damaged, is another one, or was wrapped by a version of the key that is gone.</summary>
    /// <exception cref="RequestFailedException">Key Vault failed.</exception>
    public async ValueTask<byte[]?> TryOpenAsync(string name, ReadOnlyMemory<byte> blob, CancellationToken cancellation)
    {
        if (blob.Length < 2 || blob.Span[0] != Format || blob.Length < 2 + blob.Span[1] + KeyBytes + (2 * (NonceBytes + TagBytes)))
            return null;
        var version = Encoding.ASCII.GetString(blob.Span.Slice(2, blob.Span[1]));
        return await FindAsync(version, cancellation) is { } wrapping ? TryOpen(wrapping, name, blob.Span[(2 + blob.Span[1])..]) : null;
    }

    private static byte[] Seal(WrappingKey wrapping, string name, ReadOnlySpan<byte> content)
    {
        var (version, bound) = (Encoding.ASCII.GetBytes(wrapping.Version), Encoding.ASCII.GetBytes(name));
        var blob = new byte[2 + version.Length + KeyBytes + (2 * (NonceBytes + TagBytes)) + content.Length];
        (blob[0], blob[1]) = (Format, checked((byte)version.Length));
        version.CopyTo(blob, 2);
        var parts = Parts.Of(blob.AsSpan(2 + version.Length));
        Span<byte> key = stackalloc byte[KeyBytes];
        RandomNumberGenerator.Fill(key);
        RandomNumberGenerator.Fill(parts.KeyNonce);
        RandomNumberGenerator.Fill(parts.Nonce);
        using (var wrap = new AesGcm(wrapping.Bytes, TagBytes))
            wrap.Encrypt(parts.KeyNonce, key, parts.Key, parts.KeyTag, bound);
        using (var cipher = new AesGcm(key, TagBytes))
            cipher.Encrypt(parts.Nonce, content, parts.Content, parts.Tag, bound);
        CryptographicOperations.ZeroMemory(key);
        return blob;
    }

    private static byte[]? TryOpen(WrappingKey wrapping, string name, ReadOnlySpan<byte> blob)
    {
        var bound = Encoding.ASCII.GetBytes(name);

        var parts = Parts.Of(blob.ToArray());
        Span<byte> key = stackalloc byte[KeyBytes];
        var content = new byte[parts.Content.Length];
        try
        {
            using (var wrap = new AesGcm(wrapping.Bytes, TagBytes))
                wrap.Decrypt(parts.KeyNonce, parts.Key, parts.KeyTag, key, bound);
            using (var cipher = new AesGcm(key, TagBytes))
                cipher.Decrypt(parts.Nonce, parts.Content, parts.Tag, content, bound);
            return content;
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
        catch (RequestFailedException exception) when (exception.Status is 404 or 403 or 400)
        {
            // Purged or disabled.
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

    private readonly ref struct Parts
    {
        public Span<byte> KeyNonce { get; private init; }

        public Span<byte> KeyTag { get; private init; }

        public Span<byte> Key { get; private init; }

        public Span<byte> Nonce { get; private init; }

        public Span<byte> Tag { get; private init; }

        public Span<byte> Content { get; private init; }

        public static Parts Of(Span<byte> blob) => new()
        {
            KeyNonce = blob[..NonceBytes],
            KeyTag = blob.Slice(NonceBytes, TagBytes),
            Key = blob.Slice(NonceBytes + TagBytes, KeyBytes),
            Nonce = blob.Slice(NonceBytes + TagBytes + KeyBytes, NonceBytes),
            Tag = blob.Slice((2 * NonceBytes) + TagBytes + KeyBytes, TagBytes),
            Content = blob[((2 * NonceBytes) + (2 * TagBytes) + KeyBytes)..],
        };
    }
}
