using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Extensions.Primitives;

namespace BasiqFunctions.Sandbox;

internal enum TokenScope : byte
{
    Server = 1,
    Client = 2,
}

internal readonly record struct Token(TokenScope Scope, string? UserId);

/// <summary>
/// Mints and reads access tokens. A token carries its own scope, expiry and user, and a MAC over them: to a caller it is an
/// opaque text, and the sandbox remembers none of them, however many a benchmark mints.
/// </summary>
internal sealed class Tokens(SandboxState state, LiveOptions options, TimeProvider clock)
{
    // scope (1), expiry in Unix milliseconds (8), user (16), nonce (8), MAC (16).
    private const int PayloadLength = 33;
    private const int MacLength = 16;
    private const int TokenLength = PayloadLength + MacLength;

    public static readonly int TextLength = Base64Url.GetEncodedLength(TokenLength);

    /// <summary>A new token, and how many whole seconds it lives.</summary>
    public (string Text, long ExpiresIn) Mint(TokenScope scope, Guid userId = default)
    {
        var lifetime = options.Current.TokenLifetime;
        Span<byte> token = stackalloc byte[TokenLength];
        token[0] = (byte)scope;
        BinaryPrimitives.WriteInt64BigEndian(token[1..], (clock.GetUtcNow() + lifetime).ToUnixTimeMilliseconds());
        userId.TryWriteBytes(token[9..]);
        RandomNumberGenerator.Fill(token[25..PayloadLength]);
        WriteMac(token[..PayloadLength], token[PayloadLength..]);
        return (Base64Url.EncodeToString(token), (long)lifetime.TotalSeconds);
    }

    /// <summary>Reads a token; null when it is malformed, forged, expired, or its user is gone.</summary>
    public Token? Read(ReadOnlySpan<char> text)
    {
        Span<byte> token = stackalloc byte[TokenLength];
        if (text.Length != TextLength || !Base64Url.TryDecodeFromChars(text, token, out var written) || written != TokenLength)
            return null;
        Span<byte> mac = stackalloc byte[MacLength];
        WriteMac(token[..PayloadLength], mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, token[PayloadLength..]))
            return null;
        if (clock.GetUtcNow().ToUnixTimeMilliseconds() >= BinaryPrimitives.ReadInt64BigEndian(token[1..]))
            return null;
        if ((TokenScope)token[0] == TokenScope.Server)
            return new Token(TokenScope.Server, null);
        var userId = new Guid(token[9..25]).ToString();
        return state.User(userId) is null ? null : new Token(TokenScope.Client, userId);
    }

    private void WriteMac(ReadOnlySpan<byte> payload, Span<byte> mac)
    {
        Span<byte> full = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(state.TokenKey, payload, full);
        full[..MacLength].CopyTo(mac);
    }
}

/// <summary><c>POST /token</c>.</summary>
internal sealed class TokenEndpoint(Tokens tokens, SandboxState state, LiveOptions options, Stats stats)
{
    private readonly Stats.Counter _server = stats.CounterOf("POST /token SERVER_ACCESS");
    private readonly Stats.Counter _client = stats.CounterOf("POST /token CLIENT_ACCESS");

    public void Map(ApiRoutes routes) => routes.Open("POST", "/token", Create);

    private async Task Create(HttpContext context)
    {
        var request = context.Request;
        if (!IsOurKey(request.Headers.Authorization))
        {
            await Answers.Unauthorized(context, "unauthorized-access", "The API key is missing or not valid.");
            return;
        }

        var version = request.Headers["basiq-version"];
        if (StringValues.IsNullOrEmpty(version))
        {
            await Answers.MissingParameter(context, "basiq-version", "The header basiq-version is required.");
            return;
        }

        if (version != "3.0")
        {
            await Answers.BadParameter(context, "basiq-version", "The header basiq-version must be 3.0.");
            return;
        }

        if (!request.HasFormContentType || request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            await Answers.BadContent(context, "Send the fields as application/x-www-form-urlencoded.");
            return;
        }

        var form = await request.ReadFormAsync(context.RequestAborted);
        string? scope = form["scope"];
        switch (scope)
        {
            case "SERVER_ACCESS":
                _server.Increment();
                await Write(context, tokens.Mint(TokenScope.Server));
                break;
            case "CLIENT_ACCESS":
                _client.Increment();
                string? userId = form["userId"];
                if (string.IsNullOrEmpty(userId))
                    await Answers.MissingParameter(context, "userId", "CLIENT_ACCESS needs the userId that the token is bound to.");
                else if (state.User(userId) is not { } user)
                    await Answers.NotFound(context);
                else
                    await Write(context, tokens.Mint(TokenScope.Client, Guid.Parse(user.Id)));
                break;
            case null or "":
                await Answers.MissingParameter(context, "scope", "The scope is required.");
                break;
            default:
                await Answers.BadParameter(context, "scope", "The scope must be SERVER_ACCESS or CLIENT_ACCESS.");
                break;
        }
    }

    private bool IsOurKey(StringValues header)
    {
        const string Scheme = "Basic ";
        return header is [{ } value]
            && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && string.Equals(value[Scheme.Length..].Trim(), options.Current.ApiKey, StringComparison.Ordinal);
    }

    private static Task Write(HttpContext context, (string Text, long ExpiresIn) token)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Answers.Json(context, 200, token, static (writer, token) =>
        {
            writer.WriteStartObject();
            writer.WriteString("access_token"u8, token.Text);
            writer.WriteString("token_type"u8, "Bearer"u8);
            writer.WriteNumber("expires_in"u8, token.ExpiresIn);
            writer.WriteEndObject();
        });
    }
}
