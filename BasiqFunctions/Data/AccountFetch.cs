using System.Text.Json.Serialization;

namespace BasiqFunctions.Data;

/// <summary>What of an account's transactions a sync is to fetch.</summary>
/// <param name="AccountId">The account.</param>
/// <param name="Kept">What it need not fetch; null when the whole is to be fetched.</param>
public sealed record AccountFetch(
    string AccountId, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] KeptSpan? Kept = null);
