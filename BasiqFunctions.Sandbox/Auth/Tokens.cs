using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Platform;

namespace BasiqFunctions.Sandbox.Auth;

internal enum TokenScope : byte
{
    Server = 1,
    Client = 2,
}

/// <summary>The applications of the sandbox's account at Basiq: what a key of one makes, a key of the other does not find.</summary>
internal enum BasiqApplication : byte
{
    First,
    Other,
}

internal sealed record Token(TokenScope Scope, BasiqApplication Application, string? UserId);

/// <summary>
/// Mints and reads access tokens. A token carries its own scope, expiry and user, and a MAC over them: to a caller it is an
/// opaque text, and the sandbox remembers none of them, however many a benchmark mints.
/// </summary>
internal sealed class Tokens(SandboxState state, LiveOptions options, TimeProvider clock)
{
    // scope (1), application (1), expiry in Unix milliseconds (8), user (16), nonce (8), MAC (16).
    private const int ExpiryAt = 2;
    private const int UserAt = 10;
    private const int NonceAt = 26;
    private const int PayloadLength = 34;
    private const int MacLength = 16;
    private const int TokenLength = PayloadLength + MacLength;

    public static readonly int TextLength = Base64Url.GetEncodedLength(TokenLength);

    /// <summary>A new token, and how many whole seconds it lives.</summary>
    public (string Text, long ExpiresIn) Mint(TokenScope scope, BasiqApplication application, Guid userId = default)
    {
        var lifetime = options.Current.TokenLifetime;
        Span<byte> token = stackalloc byte[TokenLength];
        token[0] = (byte)scope;
        token[1] = (byte)application;
        BinaryPrimitives.WriteInt64BigEndian(token[ExpiryAt..], (clock.GetUtcNow() + lifetime).ToUnixTimeMilliseconds());
        userId.TryWriteBytes(token[UserAt..]);
        RandomNumberGenerator.Fill(token[NonceAt..PayloadLength]);
        WriteMac(token[..PayloadLength], token[PayloadLength..]);
        return (Base64Url.EncodeToString(token), (long)lifetime.TotalSeconds);
    }

    /// <summary>Reads a token; null when it is malformed, forged, expired, or its user is gone.</summary>
    public Token? Read(ReadOnlySpan<char> text) => Read(text, out _);

    /// <inheritdoc cref="Read(ReadOnlySpan{char})"/>
    /// <param name="text">The token.</param>
    /// <param name="hasExpired">It is null for that reason.</param>
    public Token? Read(ReadOnlySpan<char> text, out bool hasExpired)
    {
        hasExpired = false;
        Span<byte> token = stackalloc byte[TokenLength];
        if (text.Length != TextLength || !Base64Url.TryDecodeFromChars(text, token, out var written) || written != TokenLength)
            return null;
        Span<byte> mac = stackalloc byte[MacLength];
        WriteMac(token[..PayloadLength], mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, token[PayloadLength..]))
            return null;
        hasExpired = clock.GetUtcNow().ToUnixTimeMilliseconds() >= BinaryPrimitives.ReadInt64BigEndian(token[ExpiryAt..]);
        if (hasExpired)
            return null;
        var application = (BasiqApplication)token[1];
        if ((TokenScope)token[0] == TokenScope.Server)
            return new Token(TokenScope.Server, application, null);
        var userId = new Guid(token[UserAt..NonceAt]).ToString();
        return state.User(userId) is null ? null : new Token(TokenScope.Client, application, userId);
    }

    private void WriteMac(ReadOnlySpan<byte> payload, Span<byte> mac)
    {
        Span<byte> full = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(state.TokenKey, payload, full);
        full[..MacLength].CopyTo(mac);
    }
}
