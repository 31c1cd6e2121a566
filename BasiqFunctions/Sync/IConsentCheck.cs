namespace BasiqFunctions.Sync;

/// <summary>Whoever knows whether a user's data may still be fetched and kept.</summary>
public interface IConsentCheck
{
    /// <summary>Whether the user's consent has ended, and with it what a sync may fetch.</summary>
    Task<bool> HasEndedAsync(string userId, CancellationToken cancellation);
}
