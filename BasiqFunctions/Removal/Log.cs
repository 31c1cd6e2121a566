using BasiqFunctions.Consents;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Removal;

internal static partial class Log
{
    [LoggerMessage(3600, LogLevel.Information, "Removed data of user {UserId} ({Reason}): {Accounts} accounts, {Transactions} transactions")]
    public static partial void DataRemoved(ILogger logger, string userId, DeletionReason reason, long? accounts, long? transactions);

    [LoggerMessage(3602, LogLevel.Information, "Daily pass finished: {Users} users checked, {Removed} removed, {Absent} unknown to Basiq, {Failed} failed")]
    public static partial void RetentionEnforced(ILogger logger, int users, int removed, int absent, int failed);

    [LoggerMessage(3603, LogLevel.Error, "Consent check of user {UserId} failed ({Exception}); the next daily pass will retry")]
    public static partial void RetentionFailed(ILogger logger, string userId, string exception);

    [LoggerMessage(3604, LogLevel.Error, "Could not delete an expired record ({Exception}); the next daily pass will retry")]
    public static partial void RecordNotEnded(ILogger logger, string exception);
}
