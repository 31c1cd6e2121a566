using System.Text.Json.Serialization;

namespace BasiqFunctions.Removal;

/// <summary>ListDeletionReceipts' answer.</summary>
/// <param name="Receipts">The receipts, the newest first.</param>
public sealed record DeletionReceiptList([property: JsonPropertyName("receipts")] IReadOnlyList<DeletionReceipt> Receipts);
