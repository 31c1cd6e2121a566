using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Users;

internal static partial class Log
{
    [LoggerMessage(3101, LogLevel.Information, "Created user {UserId}")]
    public static partial void UserCreated(this ILogger logger, UserId userId);
}
