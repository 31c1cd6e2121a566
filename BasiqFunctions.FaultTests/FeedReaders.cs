using System.Collections.Concurrent;

namespace BasiqFunctions.FaultTests;

/// <summary>The readers of a run, one for each user.</summary>
internal sealed class FeedReaders(Host host, Tally tally, int seed)
{
    private readonly ConcurrentDictionary<string, (FeedReader Reader, Task Reading)> _readers = new(StringComparer.Ordinal);

    public IReadOnlyCollection<FeedReader> All => [.. _readers.Values.Select(one => one.Reader)];

    /// <summary>Has a user's changes be followed until the storm is over.</summary>
    public void Start(string userId, CancellationToken over)
    {
        var reader = new FeedReader(host, tally, userId, seed + _readers.Count);
        _readers.TryAdd(userId, (reader, reader.FollowAsync(over)));
    }

    /// <summary>The reader of a user.</summary>
    public FeedReader Of(string userId) => _readers[userId].Reader;

    /// <summary>Waits until all have stopped, once the storm is over.</summary>
    public Task StoppedAsync() => Task.WhenAll(_readers.Values.Select(one => one.Reading));
}
