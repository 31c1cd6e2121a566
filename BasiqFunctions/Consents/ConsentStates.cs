using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>
/// Issues and verifies the <c>state</c> that goes to the consent page and comes back: <c>payload.signature</c>, base64url, signed
/// with HMAC-SHA256. A state that verifies says for whom this app made it; it is not encrypted.
/// </summary>
public sealed class ConsentStates(SecretClient secrets, IOptions<ConsentOptions> options, TimeProvider clock, ILogger<ConsentStates> logger)
{
    /// <summary>How long a key is used without asking Key Vault again; a rotated one is taken up then, or by the first state that it signed.</summary>
    internal static readonly TimeSpan KeyFreshFor = TimeSpan.FromMinutes(5);

    /// <summary>How often forged states can make this ask Key Vault.</summary>
    internal static readonly TimeSpan LeastBetweenLooks = TimeSpan.FromMinutes(1);

    private const int MostLength = 4096;
    private const int NonceBytes = 12;

    private readonly CachedSecret<byte[]> _key = new(
        _ => RandomSecret.GetOrCreateAsync(secrets, SecretNames.ConsentStateKey, clock, logger, CancellationToken.None), KeyFreshFor, LeastBetweenLooks, clock);

    /// <summary>A new state. A secret until it is used: its holder can start this user's syncs.</summary>
    public async Task<string> IssueAsync(UserId userId, Uri? returnUrl, CancellationToken cancellation, bool connectsNoBank = false)
    {
        var payload = new ConsentStatePayload(
            ConsentStatePayload.CurrentVersion,
            userId,
            returnUrl?.AbsoluteUri,
            (clock.GetUtcNow() + options.Value.StateLifetime).ToUnixTimeSeconds(),
            Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(NonceBytes)),
            connectsNoBank);
        var text = Base64Url.EncodeToString(
            JsonSerializer.SerializeToUtf8Bytes(payload, AppJson.Of<ConsentStatePayload>()));
        return $"{text}.{Sign(await _key.GetAsync(cancellation), text)}";
    }

    /// <summary>What a state of ours says; null when it is malformed or forged. Whether it is still taken says <see cref="IsCurrent"/>.</summary>
    public async Task<ConsentState?> VerifyAsync(string? state, CancellationToken cancellation)
    {
        if (state is not { Length: <= MostLength } || state.Split('.') is not [{ Length: > 0 } text, { Length: > 0 } signature])
            return null;
        var key = await _key.GetAsync(cancellation);
        if (!IsSignedWith(key, text, signature) && !IsSignedWith(await _key.GetAsync(cancellation, unfit: key), text, signature))
            return null;
        return Read(text) is { } payload
            ? new ConsentState(payload.UserId, payload.ReturnUrl, DateTimeOffset.FromUnixTimeSeconds(payload.ExpiresAt), payload.ConnectsNoBank)
            : null;
    }

    /// <summary>Whether a state has not expired.</summary>
    public bool IsCurrent(ConsentState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.ExpiresAt > clock.GetUtcNow();
    }

    /// <summary>
    /// Compares the texts and not what they decode to: base64 has bits that decode to nothing, and each state has only
    /// one spelling.
    /// </summary>
    private static bool IsSignedWith(byte[] key, string text, string signature) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Sign(key, text)), Encoding.UTF8.GetBytes(signature));

    private static string Sign(byte[] key, string text) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));

    /// <summary>The signature has been verified, so this reads what this app wrote, if perhaps in another version.</summary>
    private static ConsentStatePayload? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), AppJson.Of<ConsentStatePayload>())
                is { Version: ConsentStatePayload.CurrentVersion } payload
                    ? payload
                    : null;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }
}

/// <summary>What a consent's <c>state</c> says, once its signature has been verified.</summary>
/// <param name="UserId">Whose consent it is.</param>
/// <param name="ReturnUrl">Where the person goes next, if anywhere.</param>
/// <param name="ExpiresAt">Until when it is taken.</param>
/// <param name="ConnectsNoBank">Whether the person went to manage or extend a consent, which need not connect a bank.</param>
public sealed record ConsentState(UserId UserId, string? ReturnUrl, DateTimeOffset ExpiresAt, bool ConnectsNoBank = false)
{
    /// <summary>The user's id alone: a URL may hold anything.</summary>
    public override string ToString() => $"{nameof(ConsentState)} of {UserId}";
}

/// <summary>A state as it is signed; short names, since it travels in a URL.</summary>
/// <param name="Version">1.</param>
/// <param name="UserId">Whose consent it is.</param>
/// <param name="ReturnUrl">Where the person goes next.</param>
/// <param name="ExpiresAt">Unix seconds.</param>
/// <param name="Nonce">Makes every state another one.</param>
/// <param name="ConnectsNoBank">Whether the person goes to manage or extend a consent, which need not connect a bank.</param>
internal sealed record ConsentStatePayload(
    [property: JsonPropertyName("v")] int Version,
    [property: JsonPropertyName("u")] UserId UserId,
    [property: JsonPropertyName("r")] string? ReturnUrl,
    [property: JsonPropertyName("e")] long ExpiresAt,
    [property: JsonPropertyName("n")] string Nonce,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault), JsonPropertyName("m")] bool ConnectsNoBank = false)
{
    /// <summary>The version that this code writes and reads.</summary>
    public const int CurrentVersion = 1;
}
