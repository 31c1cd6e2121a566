using BasiqFunctions.Consents;

namespace BasiqFunctions.Removal;

/// <summary>What the orchestration of a removal is started with.</summary>
/// <param name="UserId">Whose data goes.</param>
/// <param name="ConnectionId">The connection, where only its data goes; all of the user's without.</param>
/// <param name="Cause">Why, and under which consent.</param>
/// <param name="ReceiptId">The id of the receipt that it leaves.</param>
/// <param name="SyncsStopped">Syncs that the caller has stopped already.</param>
/// <param name="Always">Whether a receipt is due even when nothing was kept.</param>
public sealed record RemovalInput(
    string UserId, string? ConnectionId, DeletionCause Cause, string ReceiptId, int SyncsStopped = 0, bool Always = false);
