using System.Text.Json.Serialization;

namespace BasiqFunctions.Idempotency;

/// <summary>The JSON of answers that are kept, without reflection.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(StoredAnswer))]
internal sealed partial class IdempotencyJson : JsonSerializerContext;
