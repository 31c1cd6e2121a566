using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Users;

internal static partial class Log
{
    [LoggerMessage(3100, LogLevel.Warning, "The key of consent states could not be read ({Exception}, status {Status}); the one in memory stays in use")]
    public static partial void StateKeyNotRead(this ILogger logger, string exception, int? status);

    [LoggerMessage(3101, LogLevel.Information, "Created user {UserId}")]
    public static partial void UserCreated(this ILogger logger, string userId);

    [LoggerMessage(3102, LogLevel.Information, "Removed user {UserId} and what was kept of it; Basiq still had it: {KnownToBasiq}")]
    public static partial void UserRemoved(this ILogger logger, string userId, bool knownToBasiq);

    [LoggerMessage(3103, LogLevel.Information, "Removed connection {ConnectionId} of user {UserId} and what was kept of it; Basiq still had it: {KnownToBasiq}")]
    public static partial void ConnectionRemoved(this ILogger logger, string connectionId, string userId, bool knownToBasiq);

    [LoggerMessage(3104, LogLevel.Warning, "A consent came back with a state of user {UserId} and jobs that are not that user's")]
    public static partial void StateBorrowed(this ILogger logger, string userId);
}
