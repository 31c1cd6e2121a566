using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Users;

internal static partial class Log
{
    [LoggerMessage(3101, LogLevel.Information, "Created user {UserId}")]
    public static partial void UserCreated(this ILogger logger, string userId);

    [LoggerMessage(3102, LogLevel.Information, "Removed user {UserId}; known to Basiq: {KnownToBasiq}")]
    public static partial void UserRemoved(this ILogger logger, string userId, bool knownToBasiq);
}
