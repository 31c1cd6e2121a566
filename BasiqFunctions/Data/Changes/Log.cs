using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Data.Changes;

/// <summary>What the change feed logs: ids alone.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 3700, Level = LogLevel.Warning,
        Message = "The change feed of user {UserId} begins anew: what it is compared with cannot be read")]
    public static partial void BegunAnew(ILogger logger, Exception exception, string userId);
}
