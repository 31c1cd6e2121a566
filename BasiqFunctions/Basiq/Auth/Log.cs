using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Basiq.Auth;

/// <summary>What happens to tokens and keys, never a token or a key.</summary>
internal static partial class Log
{
    [LoggerMessage(1101, LogLevel.Information, "Minted a server token that expires at {ExpiresAt}.")]
    public static partial void TokenMinted(ILogger logger, DateTimeOffset expiresAt);

    [LoggerMessage(1102, LogLevel.Warning, "Basiq rejected the server token; getting another.")]
    public static partial void TokenRefused(ILogger logger);

    [LoggerMessage(1105, LogLevel.Information, "Using the rotated API key.")]
    public static partial void KeyRotated(ILogger logger);

    [LoggerMessage(1106, LogLevel.Warning, "Could not get a new server token ({Kind}); the current one is good until {ExpiresAt}.")]
    public static partial void TokenKept(ILogger logger, BasiqFailureKind kind, DateTimeOffset expiresAt);

    [LoggerMessage(1110, LogLevel.Information, "Another instance stored a newer server token; using that one.")]
    public static partial void TokenAgreedOn(ILogger logger);

    [LoggerMessage(
        1111,
        LogLevel.Error,
        "Basiq rejects the API key. No tokens until it is replaced, in Key Vault (" + SecretNames.ApiKey + ") or in Basiq:ApiKey. Calls held back since the last message: {Calls}.")]
    public static partial void KeyRefused(ILogger logger, int calls);

    [LoggerMessage(1112, LogLevel.Information, "Basiq accepts the API key again.")]
    public static partial void KeyTaken(ILogger logger);

    [LoggerMessage(1006, LogLevel.Warning, "Cannot reach the shared token limit ({Exception}); requesting tokens uncounted. Requests since the last message: {Count}.")]
    public static partial void TokenRequestsUncounted(ILogger logger, string exception, int count);
}
