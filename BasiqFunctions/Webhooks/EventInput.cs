namespace BasiqFunctions.Webhooks;

/// <summary>What the orchestration of an event is started with: its id. What happened is asked of Basiq.</summary>
/// <param name="EventId">The event.</param>
public sealed record EventInput(string EventId);
