namespace BasiqFunctions.Webhooks;

/// <summary>What the orchestration of an event, and each of its tries, is started with. What happened is asked of Basiq.</summary>
/// <param name="EventId">The event.</param>
/// <param name="WebhookId">The message that told of it first; null when none did, and it was found among Basiq's events.</param>
/// <param name="IsLastTry">Whether it is dropped should this try fail, too.</param>
public sealed record EventInput(string EventId, string? WebhookId = null, bool IsLastTry = false);
