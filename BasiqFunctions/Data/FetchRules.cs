namespace BasiqFunctions.Data;

/// <summary>How much of an account's transactions is fetched anew.</summary>
/// <param name="Overlap">How far before the newest day that is known.</param>
/// <param name="FullEvery">How old the last fetch of the whole may be.</param>
/// <param name="IsFull">Whether the whole is asked for.</param>
public sealed record FetchRules(TimeSpan Overlap, TimeSpan FullEvery, bool IsFull);
