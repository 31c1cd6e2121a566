using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Vault;

/// <summary>What happens to secrets, never a secret.</summary>
internal static partial class Log
{
    [LoggerMessage(1103, LogLevel.Warning, "Key Vault failed to {Action} secret {Secret}: {ErrorCode}. Failures since the last message: {Count}.")]
    public static partial void KeyVaultFailed(ILogger logger, string action, string secret, string errorCode, int count);

    [LoggerMessage(1107, LogLevel.Information, "No Key Vault configured; keeping secrets in {File}, readable only by its owner.")]
    public static partial void SecretsInFile(ILogger logger, string file);

    [LoggerMessage(
        1108,
        LogLevel.Error,
        "Key Vault denied this app permission to {Action} secret {Secret} ({ErrorCode}). Grant the app's identity the role {Role} on the secret or the vault. Denials since the last message: {Count}.")]
    public static partial void KeyVaultRoleMissing(ILogger logger, string action, string secret, string errorCode, string role, int count);

    [LoggerMessage(1109, LogLevel.Warning, "Recovered deleted secret {Secret}.")]
    public static partial void SecretRecovered(ILogger logger, string secret);
}
