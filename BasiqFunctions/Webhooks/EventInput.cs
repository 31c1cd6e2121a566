namespace BasiqFunctions.Webhooks;

/// <summary>What the orchestration of an event is started with: its id. What happened is asked of Basiq.</summary>
/// <param name="EventId">The event.</param>
/// <param name="WebhookId">The message that told of it first; null when none did, and it was found among Basiq's events.</param>
/// <param name="FirstTakenAt">When it was first taken up, of one that was given up and is tried again; null in its first run.</param>
public sealed record EventInput(string EventId, string? WebhookId = null, DateTimeOffset? FirstTakenAt = null);
