namespace BasiqFunctions.Consents;

/// <summary>What came of the end of a consent.</summary>
/// <param name="Outcome">What it was.</param>
/// <param name="Receipts">The receipts of what was removed.</param>
/// <param name="IsComplete">
/// False while a sync of the user is slow to stop, so that its history is still there, and while Basiq contradicts what it told: it
/// lists a user whom it has deleted, or calls a consent active that should have ended by its date. Then call again a little later.
/// </param>
public sealed record ConsentEndResult(ConsentEndOutcome Outcome, IReadOnlyList<DeletionReceipt> Receipts, bool IsComplete);
