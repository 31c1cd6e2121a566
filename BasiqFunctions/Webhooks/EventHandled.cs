namespace BasiqFunctions.Webhooks;

/// <summary>What came of an event.</summary>
/// <param name="Type">Its type, one of those that this app knows, or <c>other</c>.</param>
/// <param name="Outcome">What was done, in one of few words.</param>
/// <param name="IsComplete">False when something is left to be done a little later.</param>
public sealed record EventHandled(string Type, string Outcome, bool IsComplete = true);
