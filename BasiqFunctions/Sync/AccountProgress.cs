using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>How many accounts there are to fetch, and how many have been.</summary>
public sealed record AccountProgress(
    [property: JsonPropertyName("total")] int Total,
    [property: JsonPropertyName("fetched")] int Fetched);
