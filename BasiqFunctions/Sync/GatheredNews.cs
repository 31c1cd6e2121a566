namespace BasiqFunctions.Sync;

/// <summary>News of a connection that become one sync.</summary>
/// <param name="EventId">The event that began it.</param>
/// <param name="Until">Until when more are taken in; then the fetch begins.</param>
/// <param name="IsFull">Whether it takes the whole history to have the news.</param>
public sealed record GatheredNews(string EventId, DateTimeOffset Until, bool IsFull);
