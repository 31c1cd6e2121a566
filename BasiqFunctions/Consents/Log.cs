using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Consents;

internal static partial class Log
{
    [LoggerMessage(3400, LogLevel.Information, "Removed what was kept of user {UserId} ({Reason}): {Accounts} accounts, {Transactions} transactions")]
    public static partial void DataRemoved(ILogger logger, string userId, DeletionReason reason, long? accounts, long? transactions);

    [LoggerMessage(3401, LogLevel.Information, "A consent of user {UserId} has ended and another is active: {Count} connections that it does not cover were removed")]
    public static partial void StillConsented(ILogger logger, string userId, int count);

    [LoggerMessage(3402, LogLevel.Information, "Looked after the snapshots of {Users} users: data of {Removed} was removed, {Failed} failed")]
    public static partial void RetentionEnforced(ILogger logger, int users, int removed, int failed);

    [LoggerMessage(3403, LogLevel.Error, "Whether the data of user {UserId} may be kept could not be settled ({Exception}); the next pass tries again")]
    public static partial void RetentionFailed(ILogger logger, string userId, string exception);

    [LoggerMessage(3407, LogLevel.Warning, "Stopped looking after snapshots after {Longest}, with users left: the next pass begins with them")]
    public static partial void RetentionCutShort(ILogger logger, TimeSpan longest);
}
