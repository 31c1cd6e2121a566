namespace BasiqFunctions.Webhooks;

/// <summary>What came of an event.</summary>
/// <param name="Type">Its type, one of those that this app knows, or <c>other</c>.</param>
/// <param name="Outcome">What was done, in one of few words.</param>
/// <param name="IsComplete">False when something is left to be done a little later.</param>
/// <param name="UserId">Whose it is, where Basiq says so.</param>
/// <param name="ConnectionId">The connection that it is about, where it is about one.</param>
public sealed record EventHandled(
    string Type, string Outcome, bool IsComplete = true, string? UserId = null, string? ConnectionId = null);
