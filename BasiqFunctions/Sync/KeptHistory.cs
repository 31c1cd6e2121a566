namespace BasiqFunctions.Sync;

/// <summary>How long the histories of one kind of orchestration are kept.</summary>
/// <param name="Prefix">What the ids of its instances begin with.</param>
/// <param name="For">The time from the start of one that has ended: what a task hub can filter by.</param>
public sealed record KeptHistory(string Prefix, TimeSpan For);
