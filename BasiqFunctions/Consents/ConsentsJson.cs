using System.Text.Json.Serialization;

namespace BasiqFunctions.Consents;

/// <summary>The JSON of deletion receipts, without reflection.</summary>
[JsonSerializable(typeof(DeletionReceipt))]
[JsonSerializable(typeof(DeletionReceiptList))]
internal sealed partial class ConsentsJson : JsonSerializerContext;
