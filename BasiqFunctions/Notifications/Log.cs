using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Notifications;

internal static partial class Log
{
    [LoggerMessage(3900, LogLevel.Information, "Notification subscription {Name} is set")]
    public static partial void Subscribed(ILogger logger, string name);

    [LoggerMessage(3901, LogLevel.Warning, "Notification subscription {Name} is removed: its receiver answered 410 Gone")]
    public static partial void Unsubscribed(ILogger logger, string name);

    [LoggerMessage(3902, LogLevel.Error, "Notification {MessageId} to {Name} failed for good ({Code}) after {Count} attempts")]
    public static partial void GivenUp(ILogger logger, string messageId, string name, string code, int count);
}
