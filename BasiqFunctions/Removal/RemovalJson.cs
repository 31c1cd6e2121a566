using System.Text.Json.Serialization;

namespace BasiqFunctions.Removal;

/// <summary>The JSON of removals and their receipts, without reflection.</summary>
[JsonSerializable(typeof(DeletionReceipt))]
[JsonSerializable(typeof(DeletionReceiptList))]
[JsonSerializable(typeof(RemovalUnderWay))]
[JsonSerializable(typeof(UserAbsence))]
[JsonSerializable(typeof(HeldRemoval))]
[JsonSerializable(typeof(HeldRemovalList))]
[JsonSerializable(typeof(ConfirmedRemoval))]
internal sealed partial class RemovalJson : JsonSerializerContext;
