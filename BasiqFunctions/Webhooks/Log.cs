using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Webhooks;

internal static partial class Log
{
    [LoggerMessage(3500, LogLevel.Warning, "Webhooks refused since the last line like this, of which there is one a minute at most: {Count} ({Reason})")]
    public static partial void Refused(ILogger logger, int count, string reason);

    [LoggerMessage(3501, LogLevel.Warning, "A webhook that Basiq has signed names no event of Basiq's; nothing is done about it")]
    public static partial void Unusable(ILogger logger);

    [LoggerMessage(3502, LogLevel.Error, "A version of secret {Secret} is not base64, with or without whsec_ before it; it is not used")]
    public static partial void SecretUnusable(ILogger logger, string secret);

    [LoggerMessage(3503, LogLevel.Information, "Event {EventId} ({Kind}): {Action}")]
    public static partial void EventHandled(ILogger logger, string eventId, string kind, string action);

    [LoggerMessage(3504, LogLevel.Warning, "Event {EventId} ({Kind}) could not be acted on: {Failure}")]
    public static partial void EventFailed(ILogger logger, string eventId, string kind, string failure);

    [LoggerMessage(3506, LogLevel.Warning, "No webhook had told of {Count} events; they are taken now")]
    public static partial void EventsMissed(ILogger logger, int count);

    [LoggerMessage(3507, LogLevel.Information, "Basiq sends webhooks by subscription {Name}")]
    public static partial void Subscribed(ILogger logger, string name);

    [LoggerMessage(3509, LogLevel.Warning, "Webhooks could not be taken in time ({Reason}); Basiq is told to send them again. Such webhooks since the last line like this, of which there is one a minute at most: {Count}")]
    public static partial void NotTaken(ILogger logger, string reason, int count);

    [LoggerMessage(3513, LogLevel.Error, "Event {EventId} ({Kind}) is dropped: it could not be handled in all the days that Basiq lists it")]
    public static partial void EventDropped(ILogger logger, string eventId, string kind);

    [LoggerMessage(3514, LogLevel.Warning, "Subscription {Name} was made at Basiq and could not be completed here ({Exception}); it is deleted again")]
    public static partial void SubscriptionUndone(ILogger logger, string name, string exception);

    [LoggerMessage(3515, LogLevel.Error, "Subscription {Name} was made at Basiq and could be neither completed here ({Exception}) nor deleted again ({Failure}); its messages are refused until SetWebhookSubscription succeeds")]
    public static partial void SubscriptionLeft(ILogger logger, string name, string exception, string failure);
}
