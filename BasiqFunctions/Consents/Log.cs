using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Consents;

internal static partial class Log
{
    [LoggerMessage(3400, LogLevel.Information, "Removed what was kept of user {UserId} ({Reason}): {Accounts} accounts, {Transactions} transactions")]
    public static partial void DataRemoved(ILogger logger, string userId, DeletionReason reason, long? accounts, long? transactions);

    [LoggerMessage(3401, LogLevel.Information, "A consent of user {UserId} has ended and another is active: {Count} connections that it does not cover were removed")]
    public static partial void StillConsented(ILogger logger, string userId, int count);
}
