namespace BasiqFunctions.Tests.Orchestrations;

/// <summary>A clock that a test sets at will, backwards too, and whose timers go off when the test says so.</summary>
internal sealed class SteerableClock(DateTimeOffset now) : TimeProvider
{
    private readonly List<Alarm> _alarms = [];
    private DateTimeOffset _now = now;

    public void Set(DateTimeOffset time) => _now = time;

    public void FireTimers()
    {
        Alarm[] alarms;
        lock (_alarms)
            alarms = [.. _alarms];
        foreach (var alarm in alarms)
            alarm.Fire();
    }

    public override DateTimeOffset GetUtcNow() => _now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(() => callback(state));
        lock (_alarms)
            _alarms.Add(alarm);
        return alarm;
    }

    private sealed class Alarm(Action callback) : ITimer
    {
        private bool _isDisposed;

        public void Fire()
        {
            if (!_isDisposed)
                callback();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose() => _isDisposed = true;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
