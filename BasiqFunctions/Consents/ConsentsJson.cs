using System.Text.Json.Serialization;
using BasiqFunctions.Removal;

namespace BasiqFunctions.Consents;

/// <summary>The JSON of consents and deletion receipts, without reflection.</summary>
[JsonSerializable(typeof(DeletionReceipt))]
[JsonSerializable(typeof(DeletionReceiptList))]
[JsonSerializable(typeof(RemovalUnderWay))]
[JsonSerializable(typeof(ConsentList))]
[JsonSerializable(typeof(ConsentWarning))]
[JsonSerializable(typeof(UserAbsence))]
[JsonSerializable(typeof(HeldRemoval))]
[JsonSerializable(typeof(HeldRemovalList))]
[JsonSerializable(typeof(ConfirmedRemoval))]
internal sealed partial class ConsentsJson : JsonSerializerContext;
