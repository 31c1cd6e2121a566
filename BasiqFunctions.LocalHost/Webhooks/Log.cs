namespace BasiqFunctions.LocalHost.Webhooks;

internal static partial class Log
{
    [LoggerMessage(2200, LogLevel.Warning,
        "The sandbox could not be asked for webhooks: {Reason}. What happens there is noticed once a day, until this host is started again or PUT /api/webhooks/basiq/subscription is called")]
    public static partial void NotSubscribed(ILogger logger, string reason, Exception? exception);

    [LoggerMessage(2202, LogLevel.Debug, "The sandbox's webhooks come here already")]
    public static partial void SubscribedAlready(ILogger logger);

    [LoggerMessage(2201, LogLevel.Information, "The sandbox's webhooks go to another machine, as somebody has asked for; this host leaves that alone")]
    public static partial void SubscribedElsewhere(ILogger logger);
}
