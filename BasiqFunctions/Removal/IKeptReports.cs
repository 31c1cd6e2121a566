namespace BasiqFunctions.Removal;

/// <summary>Knows what is kept of reports, which removals count.</summary>
public interface IKeptReports
{
    /// <summary>How many reports are kept that are about a user, or that have data of one connection.</summary>
    Task<int> CountAsync(string userId, string? connectionId, CancellationToken cancellation);
}
