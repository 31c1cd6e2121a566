namespace BasiqFunctions.LocalHost;

/// <summary>
/// The machine's clock without its jumps: time goes on as it passes when the clock is set to another hour, until the clock still shows
/// it ten minutes later. So a clock that jumps ends no wait, and nothing for its age.
/// </summary>
internal sealed class SteadyClock : TimeProvider
{
    /// <summary>The most by which the clock may be set and be believed at once.</summary>
    internal static readonly TimeSpan Tolerance = TimeSpan.FromHours(1);

    /// <summary>How long a jump must stand until it is believed.</summary>
    internal static readonly TimeSpan SettlingTime = TimeSpan.FromMinutes(10);

    private readonly TimeProvider _machine;
    private readonly ILogger<SteadyClock> _logger;
    private readonly Lock _gate = new();
    private (DateTimeOffset Now, long At) _last;
    private (TimeSpan Jump, long At)? _jumped;

    public SteadyClock(TimeProvider machine, ILogger<SteadyClock> logger)
    {
        (_machine, _logger) = (machine, logger);
        _last = (machine.GetUtcNow(), machine.GetTimestamp());
    }

    public override long TimestampFrequency => _machine.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => _machine.LocalTimeZone;

    public override long GetTimestamp() => _machine.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        _machine.CreateTimer(callback, state, dueTime, period);

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            var at = _machine.GetTimestamp();
            var (shown, passed) = (_machine.GetUtcNow(), _last.Now + _machine.GetElapsedTime(_last.At, at));
            if (!IsBelieved(shown - passed, at))
                return passed;
            _last = (shown, at);
            return shown;
        }
    }

    private bool IsBelieved(TimeSpan jump, long at)
    {
        if (jump.Duration() <= Tolerance)
        {
            _jumped = null;
            return true;
        }

        if (_jumped is not { } jumped || (jump - jumped.Jump).Duration() > Tolerance)
        {
            _jumped = (jump, at);
            Log.ClockJumped(_logger, (long)jump.TotalSeconds);
            return false;
        }

        if (_machine.GetElapsedTime(jumped.At, at) < SettlingTime)
            return false;
        _jumped = null;
        Log.ClockFollowed(_logger, (long)jump.TotalSeconds);
        return true;
    }
}
