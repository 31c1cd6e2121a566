namespace BasiqFunctions.Consents;

/// <summary>What came of the end of a consent.</summary>
/// <param name="Outcome">What it was.</param>
/// <param name="Receipts">The receipts of what was removed.</param>
/// <param name="IsComplete">
/// False while a sync of the user is slow to stop, so that its history is still there: then call again a little later.
/// </param>
public sealed record ConsentEndResult(ConsentEndOutcome Outcome, IReadOnlyList<DeletionReceipt> Receipts, bool IsComplete);
