using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Data.Changes;

/// <summary>What the change feed logs: ids alone.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 3700, Level = LogLevel.Warning,
        Message = "Change feed of user {UserId} starts over: its base cannot be read")]
    public static partial void BegunAnew(ILogger logger, Exception exception, UserId userId);
}
