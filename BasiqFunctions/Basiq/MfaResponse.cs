using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq;

/// <summary>The body of <c>POST /jobs/{jobId}/mfa</c>.</summary>
internal sealed record MfaResponse([property: JsonPropertyName("mfa-response")] IReadOnlyList<string> Answers);
