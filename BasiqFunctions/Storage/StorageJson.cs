using System.Text.Json.Serialization;

namespace BasiqFunctions.Storage;

/// <summary>The JSON of what is due, without reflection.</summary>
[JsonSerializable(typeof(RecordEnd))]
internal sealed partial class StorageJson : JsonSerializerContext;
