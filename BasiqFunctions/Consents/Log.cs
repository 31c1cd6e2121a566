using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Consents;

internal static partial class Log
{
    [LoggerMessage(3104, LogLevel.Warning, "Consent return refused: the state belongs to user {UserId}, the jobs do not")]
    public static partial void StateBorrowed(this ILogger logger, UserId userId);
}
