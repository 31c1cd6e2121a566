namespace BasiqFunctions.Sync;

/// <summary>What a sync's orchestration is started with.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Jobs">The jobs to follow, as they stood at the start; none where it begins from connections.</param>
/// <param name="Settings">
/// The settings at the start: an orchestration keeps them for life, since replay with others would ask for other timers.
/// </param>
public sealed record SyncInput(UserId UserId, IReadOnlyList<SyncedJob> Jobs, SyncOptions Settings)
{
    /// <summary>The connections of which it fetches what Basiq has, without any job; null where it follows jobs.</summary>
    public IReadOnlyList<ConnectionId>? ConnectionIds { get; init; }

    /// <summary>Up to when it waits for more news of the same connection, so that they become one.</summary>
    public DateTimeOffset? GatherUntil { get; init; }

    /// <summary>Whether it fetches the whole history, however much of it is known.</summary>
    public bool IsFull { get; init; }
}

/// <summary>News of a connection that become one sync.</summary>
/// <param name="EventId">The event that began it.</param>
/// <param name="Until">Until when more are taken in; then the fetch begins.</param>
/// <param name="IsFull">Whether it takes the whole history to have the news.</param>
public sealed record GatheredNews(string EventId, DateTimeOffset Until, bool IsFull);
