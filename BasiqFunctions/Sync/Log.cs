using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Sync;

internal static partial class Log
{
    [LoggerMessage(1301, LogLevel.Information, "Sync {SyncId} of user {UserId} started from {Jobs} jobs and {Connections} connections.")]
    public static partial void SyncStarted(ILogger logger, SyncId syncId, UserId userId, int jobs, int connections);

    [LoggerMessage(1302, LogLevel.Warning, "A sync of user {UserId} is still stopping; it will delete its staged data when it stops.")]
    public static partial void SyncStillStopping(ILogger logger, UserId userId);

    [LoggerMessage(1306, LogLevel.Warning, "Skipped {Count} unreadable accounts of user {UserId}: {Reason}.")]
    public static partial void AccountsSkipped(ILogger logger, UserId userId, int count, string reason);

    [LoggerMessage(1307, LogLevel.Warning,
        "Basiq no longer lists {Count} accounts of user {UserId}. Keeping them until a list at least 20 hours later lacks them too and Basiq answers 404 for each.")]
    public static partial void AccountsMissing(ILogger logger, int count, UserId userId);

    [LoggerMessage(1308, LogLevel.Warning, "Skipped {Count} transactions of user {UserId} without an id.")]
    public static partial void TransactionsSkipped(ILogger logger, int count, UserId userId);

    [LoggerMessage(1304, LogLevel.Information, "MFA challenge answered: sync {SyncId}, user {UserId}.")]
    public static partial void ChallengeAnswered(ILogger logger, SyncId syncId, UserId userId);

    [LoggerMessage(1309, LogLevel.Warning,
        "Did not purge finished orchestrations: no answer from Basiq confirms this machine's clock. The next daily run retries.")]
    public static partial void PurgeSkipped(ILogger logger);

    [LoggerMessage(1310, LogLevel.Warning, "Purged {Count} finished orchestrations and ran out of time. The next daily run goes on.")]
    public static partial void PurgeIncomplete(ILogger logger, int count);

    [LoggerMessage(1303, LogLevel.Information, "Purged {Count} finished orchestrations.")]
    public static partial void HistoriesPurged(ILogger logger, int count);
}
