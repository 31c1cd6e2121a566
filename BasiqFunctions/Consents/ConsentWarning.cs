using System.Text.Json.Serialization;

namespace BasiqFunctions.Consents;

/// <summary>That Basiq warned of the end of a consent.</summary>
/// <param name="ConsentId">The consent.</param>
/// <param name="WarnedAt">When it did.</param>
internal sealed record ConsentWarning(
    [property: JsonPropertyName("consentId")] string ConsentId, [property: JsonPropertyName("warnedAt")] DateTimeOffset WarnedAt);
