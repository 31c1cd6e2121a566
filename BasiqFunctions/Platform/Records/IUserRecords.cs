namespace BasiqFunctions.Platform.Records;

/// <summary>Something beside snapshots and syncs that is kept of users, and goes with what else is kept of them.</summary>
public interface IUserRecords
{
    /// <summary>Removes everything of a user; done again it finishes what an interruption left.</summary>
    Task RemoveUserAsync(UserId userId, CancellationToken cancellation);

    /// <summary>Removes what is kept of one connection of a user, where something is.</summary>
    Task RemoveConnectionAsync(UserId userId, ConnectionId connectionId, CancellationToken cancellation) => Task.CompletedTask;
}
