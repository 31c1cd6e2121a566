namespace BasiqFunctions.Data;

/// <summary>Knows why nothing is kept of a user any more.</summary>
public interface IRemovalHistory
{
    /// <summary>Whether all that was kept of a user went, the last time that it did, since a consent had ended.</summary>
    Task<bool> HasConsentEndedAsync(string userId, CancellationToken cancellation);
}
