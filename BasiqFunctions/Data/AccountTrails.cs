namespace BasiqFunctions.Data;

/// <summary>
/// The trails of accounts that are being fetched, kept between one segment and the next in the memory of the machine that wrote the one:
/// usually it writes the next as well, and need not read them back. A trail stands for one attempt at one segment, and whoever goes on
/// takes it away: an attempt that is made twice, or again after a crash, finds none and reads what is written down.
/// </summary>
internal sealed class AccountTrails(TimeProvider clock)
{
    /// <summary>About 50 MB: more is read back.</summary>
    private const int MostFingerprints = 2_000_000;

    /// <summary>Nobody comes back for the trail of a sync that was stopped.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly List<(string BlobName, AccountTrail Trail, DateTimeOffset KeptAt)> _kept = [];

    /// <summary>Keeps a trail that has a part already.</summary>
    public void Keep(AccountTrail trail)
    {
        if (trail.BlobName is not { } blobName)
            return;
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            _kept.RemoveAll(kept => kept.BlobName == blobName || now - kept.KeptAt > Patience);
            _kept.Add((blobName, trail, now));
            var total = _kept.Sum(kept => (long)kept.Trail.Count);
            while (_kept.Count > 1 && total > MostFingerprints)
            {
                total -= _kept[0].Trail.Count;
                _kept.RemoveAt(0);
            }
        }
    }

    /// <summary>Takes a trail away; null when it is not here.</summary>
    public AccountTrail? Take(string blobName)
    {
        lock (_lock)
        {
            var at = _kept.FindIndex(kept => kept.BlobName == blobName);
            if (at < 0)
                return null;
            var trail = _kept[at].Trail;
            _kept.RemoveAt(at);
            return trail;
        }
    }
}
