using System.Text.Json.Serialization;

namespace BasiqFunctions.Consents;

/// <summary>The JSON of consents and deletion receipts, without reflection.</summary>
[JsonSerializable(typeof(DeletionReceipt))]
[JsonSerializable(typeof(DeletionReceiptList))]
[JsonSerializable(typeof(ConsentList))]
[JsonSerializable(typeof(ConsentWarning))]
internal sealed partial class ConsentsJson : JsonSerializerContext;
