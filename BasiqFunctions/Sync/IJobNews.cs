namespace BasiqFunctions.Sync;

/// <summary>Whoever tells syncs that their jobs have changed (<see cref="Syncs.WakeAsync"/>), so that they need not ask so often.</summary>
public interface IJobNews
{
    /// <summary>Whether news can be expected from now on. Syncs ask anyway, only less often: news may get lost.</summary>
    Task<bool> AreExpectedAsync(CancellationToken cancellation);
}
