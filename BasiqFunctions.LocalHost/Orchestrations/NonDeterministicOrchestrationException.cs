namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>
/// An orchestrator, replayed from its history, asked for something else than it did when that history was made, or awaited
/// something that replay cannot give back.
/// </summary>
/// <remarks>The rules are in Microsoft Learn, "Orchestrator function code constraints".</remarks>
public sealed class NonDeterministicOrchestrationException(string message) : Exception(message);
