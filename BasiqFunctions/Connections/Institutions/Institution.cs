using System.Text.Json.Serialization;

namespace BasiqFunctions.Connections.Institutions;

/// <summary>A bank that a person can connect.</summary>
/// <param name="Id">Basiq's id, such as <c>AU00000</c>: what CreateConsentLink takes.</param>
/// <param name="Name">Its name.</param>
/// <param name="ShortName">The same, shorter.</param>
/// <param name="Tier">From <c>1</c>, the largest banks, to <c>4</c>.</param>
/// <param name="Country">Its country, such as <c>Australia</c>.</param>
/// <param name="Methods">How it can be reached, such as <c>open-banking</c>; the one that the next three are about comes first.</param>
/// <param name="Status"><c>operational</c>, <c>under-maintenance</c>, <c>degraded-performance</c>, <c>partial-outage</c> or <c>major-outage</c>.</param>
/// <param name="Stage"><c>live</c>, <c>beta</c> or <c>alpha</c>.</param>
/// <param name="AverageDurationMs">How long it takes to connect on average, in milliseconds.</param>
/// <param name="LogoUrl">A picture of it.</param>
internal sealed record Institution(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("shortName")] string ShortName,
    [property: JsonPropertyName("tier")] string? Tier,
    [property: JsonPropertyName("country")] string? Country,
    [property: JsonPropertyName("methods")] IReadOnlyList<string> Methods,
    [property: JsonPropertyName("status")] string? Status,
    [property: JsonPropertyName("stage")] string? Stage,
    [property: JsonPropertyName("averageDurationMs")] long? AverageDurationMs,
    [property: JsonPropertyName("logoUrl")] string? LogoUrl)
{
    /// <summary>When Basiq was asked; in a list it stands beside it.</summary>
    [JsonPropertyName("asOf")]
    public DateTimeOffset? AsOf { get; init; }

    /// <summary>True where Basiq could not be asked since; else left out.</summary>
    [JsonPropertyName("isStale")]
    public bool? IsStale { get; init; }
}

/// <summary>ListInstitutions' answer.</summary>
/// <param name="Institutions">The banks, by name.</param>
/// <param name="AsOf">When Basiq was asked.</param>
/// <param name="IsStale">True where Basiq could not be asked since; else left out.</param>
internal sealed record InstitutionList(
    [property: JsonPropertyName("institutions")] IReadOnlyList<Institution> Institutions,
    [property: JsonPropertyName("asOf")] DateTimeOffset AsOf,
    [property: JsonPropertyName("isStale")] bool? IsStale);
