namespace BasiqFunctions.Basiq.Models;

/// <summary>Events, and where there are more.</summary>
/// <param name="Events">The events.</param>
/// <param name="NextLink">The next page; null at the end.</param>
public sealed record BasiqEventsPage(IReadOnlyList<BasiqEvent> Events, string? NextLink);
