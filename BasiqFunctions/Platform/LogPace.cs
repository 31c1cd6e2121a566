namespace BasiqFunctions.Platform;

/// <summary>Lets a line that every call could write be written once a minute, with how many calls it stands for.</summary>
internal sealed class LogPace(TimeProvider timeProvider)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private DateTimeOffset? _last;
    private int _occurrences;

    /// <summary>Counts an occurrence; whether to write now, and how many there were since the last line, this one included.</summary>
    public bool IsDue(out int occurrences)
    {
        lock (_gate)
        {
            occurrences = ++_occurrences;
            var now = timeProvider.GetUtcNow();
            if (now - _last < Pause)
                return false;
            _last = now;
            _occurrences = 0;
            return true;
        }
    }
}
