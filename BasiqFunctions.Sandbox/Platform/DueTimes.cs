namespace BasiqFunctions.Sandbox.Platform;

/// <summary>Calls for each thing that was added once its time has come, by the clock; what is due already is called for at once.</summary>
internal sealed class DueTimes<T>(TimeProvider clock, Action<T> due) : IDisposable
{
    // Timers do not take much more than a month.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly PriorityQueue<T, DateTimeOffset> _queue = new();
    private ITimer? _timer;
    private bool _disposed;

    public void Add(DateTimeOffset at, T item)
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _queue.Enqueue(item, at);
            if (_queue.TryPeek(out _, out var first) && first == at)
                Arm(first);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _timer?.Dispose();
            _queue.Clear();
        }
    }

    private void Arm(DateTimeOffset at)
    {
        var wait = at - clock.GetUtcNow();
        if (wait < TimeSpan.Zero)
            wait = TimeSpan.Zero;
        else if (wait > Longest)
            wait = Longest;
        if (_timer is null)
            _timer = clock.CreateTimer(static x => ((DueTimes<T>)x!).Run(), this, wait, Timeout.InfiniteTimeSpan);
        else
            _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Run()
    {
        while (true)
        {
            T item;
            lock (_gate)
            {
                if (_disposed || !_queue.TryPeek(out _, out var at))
                    return;
                if (at > clock.GetUtcNow())
                {
                    Arm(at);
                    return;
                }

                item = _queue.Dequeue();
            }

            due(item);
        }
    }
}
