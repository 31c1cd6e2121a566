using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Data;

/// <summary>What the snapshot store logs: ids and counts.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 500, Level = LogLevel.Information,
        Message = "Published sync {RunId} of user {UserId}: {Accounts} accounts, {Transactions} transactions")]
    public static partial void Published(ILogger logger, UserId userId, RunId runId, int accounts, long transactions);

    [LoggerMessage(EventId = 501, Level = LogLevel.Information,
        Message = "Sync {RunId} of user {UserId} published nothing: newer syncs came first or its connections were removed")]
    public static partial void Superseded(ILogger logger, UserId userId, RunId runId);

    [LoggerMessage(EventId = 502, Level = LogLevel.Debug, Message = "Snapshot of user {UserId} changed while sync {RunId} was merging; retrying")]
    public static partial void Conflict(ILogger logger, UserId userId, RunId runId);

    [LoggerMessage(EventId = 503, Level = LogLevel.Warning, Message = "Sync {RunId} of user {UserId} was discarded while publishing; withdrawing it")]
    public static partial void TakenBack(ILogger logger, UserId userId, RunId runId);

    [LoggerMessage(EventId = 504, Level = LogLevel.Information, Message = "Removed {Blobs} unreferenced snapshot blobs of user {UserId}")]
    public static partial void Removed(ILogger logger, UserId userId, int blobs);

    [LoggerMessage(EventId = 505, Level = LogLevel.Information, Message = "Removed connection {ConnectionId} from the snapshot of user {UserId}")]
    public static partial void ConnectionRemoved(ILogger logger, UserId userId, ConnectionId connectionId);

    [LoggerMessage(EventId = 506, Level = LogLevel.Information, Message = "Removed all snapshots of user {UserId}")]
    public static partial void UserRemoved(ILogger logger, UserId userId);

    [LoggerMessage(EventId = 508, Level = LogLevel.Information,
        Message = "Sync {RunId} of user {UserId} fetches {Count} accounts whole: their stored transactions changed meanwhile")]
    public static partial void Outdated(ILogger logger, int count, UserId userId, RunId runId);

    [LoggerMessage(EventId = 507, Level = LogLevel.Error, Message = "Snapshot of user {UserId} is damaged")]
    public static partial void Damaged(ILogger logger, Exception exception, UserId userId);
}
