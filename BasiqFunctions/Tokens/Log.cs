using BasiqFunctions.Basiq;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tokens;

/// <summary>What happens to tokens and keys, never a token or a key.</summary>
internal static partial class Log
{
    [LoggerMessage(1101, LogLevel.Information, "Minted a server token that expires at {ExpiresAt}.")]
    public static partial void TokenMinted(ILogger logger, DateTimeOffset expiresAt);

    [LoggerMessage(1102, LogLevel.Warning, "Basiq refused the server token; another one is taken.")]
    public static partial void TokenRefused(ILogger logger);

    [LoggerMessage(1103, LogLevel.Warning, "Key Vault could not {Action} secret {Secret}: {ErrorCode}.")]
    public static partial void KeyVaultFailed(ILogger logger, string action, string secret, string errorCode);

    [LoggerMessage(1104, LogLevel.Information, "Disabled {Count} superseded versions of the server token.")]
    public static partial void VersionsDisabled(ILogger logger, int count);

    [LoggerMessage(1105, LogLevel.Information, "Took up a rotated API key.")]
    public static partial void KeyRotated(ILogger logger);

    [LoggerMessage(1106, LogLevel.Warning, "No new server token ({Kind}); the present one serves on until {ExpiresAt}.")]
    public static partial void TokenKept(ILogger logger, BasiqFailureKind kind, DateTimeOffset expiresAt);

    [LoggerMessage(1107, LogLevel.Information, "No Key Vault is configured: secrets are kept in {File}, which only its owner can read.")]
    public static partial void SecretsInFile(ILogger logger, string file);
}
