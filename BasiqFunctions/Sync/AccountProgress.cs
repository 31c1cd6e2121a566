using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>How many accounts there are to fetch, how many have been, and what of Basiq's list could not be read.</summary>
public sealed record AccountProgress(
    [property: JsonPropertyName("total")] int Total,
    [property: JsonPropertyName("fetched")] int Fetched,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("skipped")]
    IReadOnlyList<SkippedAccounts>? Skipped = null);
