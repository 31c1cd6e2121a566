using BasiqFunctions.Consents;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Removal;

internal static partial class Log
{
    [LoggerMessage(3400, LogLevel.Information, "Removed what was kept of user {UserId} ({Reason}): {Accounts} accounts, {Transactions} transactions")]
    public static partial void DataRemoved(ILogger logger, string userId, DeletionReason reason, long? accounts, long? transactions);
}
