using System.Text.Json.Serialization;

namespace BasiqFunctions.Consents;

/// <summary>A state as it is signed; short names, since it travels in a URL.</summary>
/// <param name="Version">1.</param>
/// <param name="UserId">Whose consent it is.</param>
/// <param name="ReturnUrl">Where the person goes next.</param>
/// <param name="ExpiresAt">Unix seconds.</param>
/// <param name="Nonce">Makes every state another one.</param>
internal sealed record ConsentStatePayload(
    [property: JsonPropertyName("v")] int Version,
    [property: JsonPropertyName("u")] string UserId,
    [property: JsonPropertyName("r")] string? ReturnUrl,
    [property: JsonPropertyName("e")] long ExpiresAt,
    [property: JsonPropertyName("n")] string Nonce)
{
    /// <summary>The version that this code writes and reads.</summary>
    public const int CurrentVersion = 1;
}
