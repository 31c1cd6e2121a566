using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Consents;

/// <summary>ListConsents' answer.</summary>
/// <param name="Consents">The consents as Basiq sent them.</param>
/// <param name="Standings">How each of them stands, in the same order.</param>
internal sealed record ConsentList(
    [property: JsonPropertyName("consents")] IReadOnlyList<Consent> Consents,
    [property: JsonPropertyName("standings")] IReadOnlyList<ConsentStanding> Standings);
