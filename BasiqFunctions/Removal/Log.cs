using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Removal;

internal static partial class Log
{
    [LoggerMessage(3606, LogLevel.Information, "Removed user {UserId}; known to Basiq: {KnownToBasiq}")]
    public static partial void UserRemoved(ILogger logger, UserId userId, bool knownToBasiq);

    [LoggerMessage(3607, LogLevel.Information, "Removed connection {ConnectionId} of user {UserId}; known to Basiq: {KnownToBasiq}")]
    public static partial void ConnectionRemoved(ILogger logger, ConnectionId connectionId, UserId userId, bool knownToBasiq);

    [LoggerMessage(3608, LogLevel.Warning, "Basiq did not do a step of a removal of user {UserId} ({Code})")]
    public static partial void RefusedAtBasiq(ILogger logger, UserId userId, string code);

    [LoggerMessage(3600, LogLevel.Information, "Removed data of user {UserId} ({Reason}): {Accounts} accounts, {Transactions} transactions")]
    public static partial void DataRemoved(ILogger logger, UserId userId, DeletionReason reason, long? accounts, long? transactions);

    [LoggerMessage(3602, LogLevel.Information, "Daily pass finished: {Users} users checked, {Removed} removed, {Absent} unknown to Basiq, {Failed} failed")]
    public static partial void RetentionEnforced(ILogger logger, int users, int removed, int absent, int failed);

    [LoggerMessage(3603, LogLevel.Error, "Consent check of user {UserId} failed ({Exception}); the next daily pass will retry")]
    public static partial void RetentionFailed(ILogger logger, UserId userId, string exception);

    [LoggerMessage(3604, LogLevel.Error, "Could not delete an expired record ({Exception}); the next daily pass will retry")]
    public static partial void RecordNotEnded(ILogger logger, string exception);

    [LoggerMessage(3605, LogLevel.Error, "A damaged note of when a record ends was dropped: the record counts for nothing once it has expired, and stays")]
    public static partial void EndNoteDamaged(ILogger logger);

    [LoggerMessage(3609, LogLevel.Warning, "Daily pass put off: no answer of Basiq's confirms this machine's clock. What is due stays due, and the next pass does it")]
    public static partial void PassPutOff(ILogger logger);

    [LoggerMessage(3401, LogLevel.Information, "Removed {Count} connections of user {UserId} that no consent in force covers")]
    public static partial void StillConsented(ILogger logger, UserId userId, int count);

    [LoggerMessage(3404, LogLevel.Error, "Removals held: Basiq does not know {Users} users, which may mean a wrong API key. Their data stays until POST /api/removals/{PassId}/confirm")]
    public static partial void RemovalsHeld(ILogger logger, int users, string passId);

    [LoggerMessage(3405, LogLevel.Warning, "Check of users unknown to Basiq failed ({Failure}); the next daily pass will retry")]
    public static partial void AbsencesNotSettled(ILogger logger, string failure);

    [LoggerMessage(3406, LogLevel.Warning, "Held removals confirmed for pass {PassId}")]
    public static partial void RemovalsConfirmed(ILogger logger, string passId);
}
