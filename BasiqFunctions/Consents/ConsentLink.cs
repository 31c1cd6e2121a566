using System.Text.Json.Serialization;

namespace BasiqFunctions.Consents;

/// <summary>CreateConsentLink's answer.</summary>
/// <param name="Url">Where to send the browser. It holds a client token and is a secret.</param>
/// <param name="ExpiresAt">Until when the consent page takes it.</param>
public sealed record ConsentLink(
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("expiresAt")] DateTimeOffset ExpiresAt)
{
    /// <summary>The expiry alone, never the URL.</summary>
    public override string ToString() => $"{nameof(ConsentLink)} (expires {ExpiresAt:u})";
}
