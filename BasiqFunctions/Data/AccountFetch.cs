using System.Text.Json.Serialization;

namespace BasiqFunctions.Data;

/// <summary>What of an account's transactions a sync is to fetch.</summary>
/// <param name="AccountId">The account.</param>
/// <param name="Kept">What it need not fetch; null when the whole is to be fetched.</param>
public sealed record AccountFetch(
    AccountId AccountId, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] KeptSpan? Kept = null);

/// <summary>How much of an account's transactions is fetched anew.</summary>
/// <param name="Overlap">How far before the newest day that is known.</param>
/// <param name="FullEvery">How old the last fetch of the whole may be.</param>
/// <param name="IsFull">Whether the whole is asked for.</param>
public sealed record FetchRules(TimeSpan Overlap, TimeSpan FullEvery, bool IsFull);

/// <summary>How much of an account's transactions is kept while the rest is fetched anew: ids and days alone, so it may cross into history.</summary>
/// <param name="Base">Which transactions are kept of.</param>
/// <param name="From">The first day that is fetched anew, by the day of posting; what was posted before stays.</param>
/// <param name="OlderFrom">Where the history begins that is older than what is kept; null when there is none.</param>
/// <param name="OlderBefore">The first day of what is kept, before which that history ends.</param>
public sealed record KeptSpan(string Base, DateOnly From, DateOnly? OlderFrom = null, DateOnly? OlderBefore = null);

/// <summary>How an account was fetched that was not fetched whole.</summary>
/// <param name="Kept">What stays.</param>
/// <param name="Newer">How many of its segments are newer than what stays; the rest is older.</param>
/// <param name="Pending">The attempt that wrote what is pending; null when nothing is.</param>
/// <param name="IsUnchanged">Whether what was fetched again is byte for byte what was known, and no more.</param>
public sealed record FetchedSpan(KeptSpan Kept, int Newer, string? Pending, bool IsUnchanged);
