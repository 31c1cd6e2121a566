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

    [LoggerMessage(1103, LogLevel.Warning, "Key Vault could not {Action} secret {Secret}: {ErrorCode}. Times since the last such line: {Count}.")]
    public static partial void KeyVaultFailed(ILogger logger, string action, string secret, string errorCode, int count);

    [LoggerMessage(1105, LogLevel.Information, "Took up a rotated API key.")]
    public static partial void KeyRotated(ILogger logger);

    [LoggerMessage(1106, LogLevel.Warning, "No new server token ({Kind}); the present one serves on until {ExpiresAt}.")]
    public static partial void TokenKept(ILogger logger, BasiqFailureKind kind, DateTimeOffset expiresAt);

    [LoggerMessage(1107, LogLevel.Information, "No Key Vault is configured: secrets are kept in {File}, which only its owner can read.")]
    public static partial void SecretsInFile(ILogger logger, string file);

    [LoggerMessage(
        1108,
        LogLevel.Error,
        "Key Vault does not let this app {Action} secret {Secret} ({ErrorCode}): grant the app's identity the role {Role} on the secret or the vault. Times since the last such line: {Count}.")]
    public static partial void KeyVaultRoleMissing(ILogger logger, string action, string secret, string errorCode, string role, int count);

    [LoggerMessage(1109, LogLevel.Warning, "Secret {Secret} had been deleted; it was recovered.")]
    public static partial void SecretRecovered(ILogger logger, string secret);

    [LoggerMessage(1110, LogLevel.Information, "Another instance has stored a server token too; all go on with that one.")]
    public static partial void TokenAgreedOn(ILogger logger);

    [LoggerMessage(
        1111,
        LogLevel.Error,
        "Basiq refuses the API key: no token can be had until it is replaced, in Key Vault (" + SecretNames.ApiKey + ") or in Basiq:ApiKey. Calls refused since the last such line: {Calls}.")]
    public static partial void KeyRefused(ILogger logger, int calls);

    [LoggerMessage(1112, LogLevel.Information, "Basiq takes the API key again.")]
    public static partial void KeyTaken(ILogger logger);
}
