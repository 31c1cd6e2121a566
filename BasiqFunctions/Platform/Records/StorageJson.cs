using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Records;

/// <summary>The JSON of what is due, without reflection.</summary>
[JsonSerializable(typeof(RecordEnd))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, string>))]
internal sealed partial class StorageJson : JsonSerializerContext;
