namespace BasiqFunctions.Removal;

/// <summary>Knows what is kept of reports, which removals count and daily passes look at.</summary>
public interface IKeptReports
{
    /// <summary>How many reports are kept that are about a user, or that have data of one connection.</summary>
    Task<int> CountAsync(string userId, string? connectionId, CancellationToken cancellation);

    /// <summary>Removes a user's reports that have been kept as long as they may be, and tells when the next one will have been; null when there is none.</summary>
    Task<DateTimeOffset?> RemoveOldAsync(string userId, CancellationToken cancellation);
}
