using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Health;

/// <summary>The JSON of health, without reflection.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthReport))]
internal sealed partial class HealthJson : JsonSerializerContext;
