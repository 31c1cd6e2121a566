using BasiqFunctions.Consents;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Removal;

internal static partial class Log
{
    [LoggerMessage(3600, LogLevel.Information, "Removed what was kept of user {UserId} ({Reason}): {Accounts} accounts, {Transactions} transactions")]
    public static partial void DataRemoved(ILogger logger, string userId, DeletionReason reason, long? accounts, long? transactions);

    [LoggerMessage(3602, LogLevel.Information, "Looked after {Users} users who were due: data of {Removed} was removed, Basiq had nothing of {Absent}, {Failed} failed")]
    public static partial void RetentionEnforced(ILogger logger, int users, int removed, int absent, int failed);

    [LoggerMessage(3603, LogLevel.Error, "Whether the data of user {UserId} may be kept could not be settled ({Exception}); the next day's pass tries again")]
    public static partial void RetentionFailed(ILogger logger, string userId, string exception);

    [LoggerMessage(3604, LogLevel.Error, "A record whose time is over could not be removed ({Exception}); the next day's pass tries again")]
    public static partial void RecordNotEnded(ILogger logger, string exception);
}
