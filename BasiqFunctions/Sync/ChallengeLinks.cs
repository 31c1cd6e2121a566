using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>Where a challenge leads.</summary>
/// <param name="Response">Where the answer goes (AnswerMfa).</param>
public sealed record ChallengeLinks([property: JsonPropertyName("response")] string Response);
