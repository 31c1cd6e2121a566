namespace BasiqFunctions.Removal;

/// <summary>Knows what is kept of reports, which removals count and remove. What was begun since a removal began is none of it: a new consent covers it.</summary>
public interface IKeptReports
{
    /// <summary>How many reports are kept that are about a user, or that have data of one connection.</summary>
    Task<int> CountAsync(UserId userId, ConnectionId? connectionId, DateTimeOffset begunAt, CancellationToken cancellation);

    /// <summary>Removes them; done again it finishes what an interruption left. What stays is due.</summary>
    Task RemoveAsync(UserId userId, ConnectionId? connectionId, DateTimeOffset begunAt, CancellationToken cancellation);
}
