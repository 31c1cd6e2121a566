namespace BasiqFunctions.Removal;

/// <summary>What an activity of a removal is given.</summary>
/// <param name="What">What is removed.</param>
/// <param name="BegunAt">When the removal began: what a sync fetches that started later is none of it.</param>
public sealed record RemovalStep(RemovalInput What, DateTimeOffset BegunAt);
