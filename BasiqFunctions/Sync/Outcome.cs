namespace BasiqFunctions.Sync;

/// <summary>What an activity gives back: a value, a failure, or both when it got part of the way.</summary>
/// <typeparam name="T">The value.</typeparam>
/// <param name="Value">What was done; null when nothing was.</param>
/// <param name="Failure">Why not all of it was.</param>
public sealed record Outcome<T>(T? Value, UpstreamFailure? Failure = null)
    where T : class;
