using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>The JSON of records and of the answers in them, without reflection.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(IdempotencyRecord))]
[JsonSerializable(typeof(StoredAnswer))]
internal sealed partial class IdempotencyJson : JsonSerializerContext;
