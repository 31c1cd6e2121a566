using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Data.Exports;

/// <summary>What exports log: ids alone.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 3800, Level = LogLevel.Warning,
        Message = "An export of user {UserId} was broken off: what it reads is damaged, or was removed meanwhile")]
    public static partial void BrokenOff(this ILogger logger, Exception exception, UserId userId);
}
