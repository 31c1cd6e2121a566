using System.Text.Json.Serialization;

namespace BasiqFunctions.Connections;

/// <summary>The JSON of connections, without reflection.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ConnectionAttention))]
[JsonSerializable(typeof(ConnectionList))]
[JsonSerializable(typeof(KeptAttention))]
internal sealed partial class ConnectionsJson : JsonSerializerContext;
