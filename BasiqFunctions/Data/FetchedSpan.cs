namespace BasiqFunctions.Data;

/// <summary>How an account was fetched that was not fetched whole.</summary>
/// <param name="Kept">What stays.</param>
/// <param name="Newer">How many of its segments are newer than what stays; the rest is older.</param>
/// <param name="Pending">The attempt that wrote what is pending; null when nothing is.</param>
/// <param name="IsUnchanged">Whether what was fetched again is byte for byte what was known, and no more.</param>
public sealed record FetchedSpan(KeptSpan Kept, int Newer, string? Pending, bool IsUnchanged);
