using BasiqFunctions.Basiq;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tokens;

/// <summary>What happens to tokens and keys, never a token or a key.</summary>
internal static partial class Log
{
    [LoggerMessage(1101, LogLevel.Information, "Minted a server token that expires at {ExpiresAt}.")]
    public static partial void TokenMinted(ILogger logger, DateTimeOffset expiresAt);

    [LoggerMessage(1102, LogLevel.Warning, "Basiq rejected the server token; getting another.")]
    public static partial void TokenRefused(ILogger logger);

    [LoggerMessage(1103, LogLevel.Warning, "Key Vault failed to {Action} secret {Secret}: {ErrorCode}. Failures since the last message: {Count}.")]
    public static partial void KeyVaultFailed(ILogger logger, string action, string secret, string errorCode, int count);

    [LoggerMessage(1105, LogLevel.Information, "Using the rotated API key.")]
    public static partial void KeyRotated(ILogger logger);

    [LoggerMessage(1106, LogLevel.Warning, "Could not get a new server token ({Kind}); the current one is good until {ExpiresAt}.")]
    public static partial void TokenKept(ILogger logger, BasiqFailureKind kind, DateTimeOffset expiresAt);

    [LoggerMessage(1107, LogLevel.Information, "No Key Vault configured; keeping secrets in {File}, readable only by its owner.")]
    public static partial void SecretsInFile(ILogger logger, string file);

    [LoggerMessage(
        1108,
        LogLevel.Error,
        "Key Vault denied this app permission to {Action} secret {Secret} ({ErrorCode}). Grant the app's identity the role {Role} on the secret or the vault. Denials since the last message: {Count}.")]
    public static partial void KeyVaultRoleMissing(ILogger logger, string action, string secret, string errorCode, string role, int count);

    [LoggerMessage(1109, LogLevel.Warning, "Recovered deleted secret {Secret}.")]
    public static partial void SecretRecovered(ILogger logger, string secret);

    [LoggerMessage(1110, LogLevel.Information, "Another instance stored a newer server token; using that one.")]
    public static partial void TokenAgreedOn(ILogger logger);

    [LoggerMessage(
        1111,
        LogLevel.Error,
        "Basiq rejects the API key. No tokens until it is replaced, in Key Vault (" + SecretNames.ApiKey + ") or in Basiq:ApiKey. Calls held back since the last message: {Calls}.")]
    public static partial void KeyRefused(ILogger logger, int calls);

    [LoggerMessage(1112, LogLevel.Information, "Basiq accepts the API key again.")]
    public static partial void KeyTaken(ILogger logger);
}
