using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Consents;

/// <summary>The JSON of consents, their links and client tokens, without reflection.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ConsentList))]
[JsonSerializable(typeof(ConsentWarning))]
[JsonSerializable(typeof(ConsentStatePayload))]
[JsonSerializable(typeof(ConsentLink))]
[JsonSerializable(typeof(NoBankConnected))]
[JsonSerializable(typeof(ClientToken))]
internal sealed partial class ConsentsJson : JsonSerializerContext;
