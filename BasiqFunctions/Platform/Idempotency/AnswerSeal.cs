using System.Security.Cryptography;
using System.Text;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>
/// Seals answers with personal data (AES-256-GCM). Whoever reads the store learns nothing from them: opening one takes a secret of
/// Key Vault's, made on first use, and the caller's <c>Idempotency-Key</c> as well.
/// </summary>
/// <remarks>
/// The name of a record does not depend on the secret. So a secret that was rotated makes no request run twice; answers that
/// were sealed with the old one are made again instead.
/// </remarks>
internal sealed class AnswerSeal(SecretClient secrets, TimeProvider clock, ILogger<AnswerSeal> logger)
{
    /// <summary>How often answers that cannot be opened make this ask Key Vault for another secret.</summary>
    internal static readonly TimeSpan LeastBetweenLooks = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(5);

    private const byte Version = 1;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int OverheadBytes = 1 + NonceBytes + TagBytes;

    private readonly CachedSecret<byte[]> _secret = new(
        _ => RandomSecret.GetOrCreateAsync(secrets, SecretNames.IdempotencySealKey, clock, logger, CancellationToken.None),
        FreshFor,
        LeastBetweenLooks,
        clock);

    /// <summary>Has the secret at hand, so that <see cref="SealAsync"/> cannot fail when the work is done.</summary>
    /// <exception cref="Azure.RequestFailedException">Key Vault failed, and the secret is not in memory.</exception>
    public async ValueTask PrepareAsync(CancellationToken cancellation) => await _secret.GetAsync(cancellation);

    /// <summary>Seals an answer of the request with this key.</summary>
    public async ValueTask<byte[]> SealAsync(IdempotencyKey key, ReadOnlyMemory<byte> answer, CancellationToken cancellation)
    {
        var secret = await _secret.GetAsync(cancellation);
        var sealedAnswer = new byte[OverheadBytes + answer.Length];
        sealedAnswer[0] = Version;
        var nonce = sealedAnswer.AsSpan(1, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = CipherOf(secret, key);
        cipher.Encrypt(
            nonce, answer.Span, sealedAnswer.AsSpan(OverheadBytes), sealedAnswer.AsSpan(1 + NonceBytes, TagBytes), [Version]);
        return sealedAnswer;
    }

    /// <summary>Opens what was sealed; null when it was sealed with a secret that is gone, or is damaged.</summary>
    public async ValueTask<byte[]?> TryOpenAsync(IdempotencyKey key, byte[] sealedAnswer, CancellationToken cancellation)
    {
        if (sealedAnswer is not [Version, ..] || sealedAnswer.Length < OverheadBytes)
            return null;
        var secret = await _secret.GetAsync(cancellation);
        if (TryOpen(secret, key, sealedAnswer) is { } answer)
            return answer;
        return TryOpen(await _secret.GetAsync(cancellation, unfit: secret), key, sealedAnswer);
    }

    private static byte[]? TryOpen(byte[] secret, IdempotencyKey key, byte[] sealedAnswer)
    {
        var answer = new byte[sealedAnswer.Length - OverheadBytes];
        using var cipher = CipherOf(secret, key);
        try
        {
            cipher.Decrypt(
                sealedAnswer.AsSpan(1, NonceBytes), sealedAnswer.AsSpan(OverheadBytes), sealedAnswer.AsSpan(1 + NonceBytes, TagBytes), answer,
                [Version]);
            return answer;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static AesGcm CipherOf(byte[] secret, IdempotencyKey key)
    {
        Span<byte> cipherKey = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, cipherKey, salt: Encoding.ASCII.GetBytes(key.Id), info: key.Bytes);
        return new AesGcm(cipherKey, TagBytes);
    }
}
