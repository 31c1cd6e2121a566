namespace BasiqFunctions.Data;

/// <summary>How much of an account's transactions is kept while the rest is fetched anew: ids and days alone, so it may cross into history.</summary>
/// <param name="Base">Which transactions are kept of.</param>
/// <param name="From">The first day that is fetched anew, by the day of posting; what was posted before stays.</param>
/// <param name="OlderFrom">Where the history begins that is older than what is kept; null when there is none.</param>
/// <param name="OlderBefore">The first day of what is kept, before which that history ends.</param>
public sealed record KeptSpan(string Base, DateOnly From, DateOnly? OlderFrom = null, DateOnly? OlderBefore = null);
