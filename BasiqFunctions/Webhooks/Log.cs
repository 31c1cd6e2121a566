using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Webhooks;

internal static partial class Log
{
    [LoggerMessage(3500, LogLevel.Warning, "Webhooks refused ({Reason}) since the last message: {Count}")]
    public static partial void Refused(ILogger logger, int count, string reason);

    [LoggerMessage(3501, LogLevel.Warning, "Ignoring a webhook: its signature is valid but it names no Basiq event")]
    public static partial void Unusable(ILogger logger);

    [LoggerMessage(3502, LogLevel.Error, "Secret {Secret} has a version that is not base64 (with or without the whsec_ prefix); ignoring it")]
    public static partial void SecretUnusable(ILogger logger, string secret);

    [LoggerMessage(3503, LogLevel.Information, "Event {EventId} ({Kind}): {Action}")]
    public static partial void EventHandled(ILogger logger, string eventId, string kind, string action);

    [LoggerMessage(3504, LogLevel.Warning, "Event {EventId} ({Kind}) failed, will retry: {Failure}")]
    public static partial void EventFailed(ILogger logger, string eventId, string kind, string failure);

    [LoggerMessage(3506, LogLevel.Warning, "Reconciled {Count} events that no webhook delivered")]
    public static partial void EventsMissed(ILogger logger, int count);

    [LoggerMessage(3507, LogLevel.Information, "Webhook subscription {Name} is active at Basiq")]
    public static partial void Subscribed(ILogger logger, string name);

    [LoggerMessage(3509, LogLevel.Warning, "Could not schedule webhooks in time ({Reason}); asked Basiq to resend. Webhooks since the last message: {Count}")]
    public static partial void NotTaken(ILogger logger, string reason, int count);

    [LoggerMessage(3513, LogLevel.Error, "Event {EventId} ({Kind}) dropped after failing for the 7 days that Basiq lists it")]
    public static partial void EventDropped(ILogger logger, string eventId, string kind);

    [LoggerMessage(3514, LogLevel.Warning, "Deleting new subscription {Name} at Basiq: storing its secret failed ({Exception})")]
    public static partial void SubscriptionUndone(ILogger logger, string name, string exception);

    [LoggerMessage(3515, LogLevel.Error, "Subscription {Name} exists at Basiq, but storing its secret failed ({Exception}) and so did deleting it ({Failure}). Its webhooks are refused until SetWebhookSubscription succeeds")]
    public static partial void SubscriptionLeft(ILogger logger, string name, string exception, string failure);
}
