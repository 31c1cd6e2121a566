using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>The body of <c>POST /jobs/{jobId}/mfa</c>.</summary>
internal sealed record MfaResponse([property: JsonPropertyName("mfa-response")] IReadOnlyList<string> Answers);
