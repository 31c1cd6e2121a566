namespace BasiqFunctions.LocalHost.Webhooks;

internal static partial class Log
{
    [LoggerMessage(2200, LogLevel.Warning,
        "Could not subscribe to the sandbox's webhooks: {Reason}. Its events are picked up once a day until a restart or PUT /api/webhooks/basiq/subscription")]
    public static partial void NotSubscribed(ILogger logger, string reason, Exception? exception);

    [LoggerMessage(2202, LogLevel.Debug, "Already subscribed to the sandbox's webhooks")]
    public static partial void SubscribedAlready(ILogger logger);

    [LoggerMessage(2201, LogLevel.Information, "The sandbox sends its webhooks to another machine; leaving that as it is")]
    public static partial void SubscribedElsewhere(ILogger logger);
}
