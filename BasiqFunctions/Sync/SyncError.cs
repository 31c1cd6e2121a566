using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>Why a sync is not complete.</summary>
/// <param name="Code">One of ours, or Basiq's when the call to it is what failed.</param>
/// <param name="Detail">In words, without personal data.</param>
public sealed record SyncError(
    [property: JsonPropertyName("code")] string Code,
    [property: JsonPropertyName("detail")] string Detail);
