using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>Records of Basiq's list of accounts that could not be read, while the others were fetched.</summary>
/// <param name="Reason"><c>malformed-id</c> or <c>malformed-connection</c>.</param>
/// <param name="Count">How many.</param>
public sealed record SkippedAccounts(
    [property: JsonPropertyName("reason")] string Reason,
    [property: JsonPropertyName("count")] int Count);
