using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Records;

/// <summary>
/// Whether this machine's clock can be believed, by the <c>Date</c> of Basiq's answers. Nothing is removed because of its age by a clock
/// that nobody else has confirmed: one that jumps a year ahead for a minute would take what nothing brings back.
/// </summary>
public sealed class ClockCheck(TimeProvider clock, ILogger<ClockCheck> logger)
{
    /// <summary>How far the clocks may differ.</summary>
    internal static readonly TimeSpan Tolerance = TimeSpan.FromHours(1);

    /// <summary>How long an answer confirms the clock. The server token is renewed more often than that.</summary>
    internal static readonly TimeSpan Freshness = TimeSpan.FromMinutes(30);

    private readonly LogPace _pace = new(clock);
    private volatile Seen? _last;

    /// <summary>Whether an answer of late was dated as this machine would have dated it.</summary>
    public bool IsConfirmed
    {
        get
        {
            if (_last is not { } last || clock.GetElapsedTime(last.At) is var passed && passed > Freshness)
                return false;
            var difference = clock.GetUtcNow() - (last.Date + passed);
            if (difference.Duration() <= Tolerance)
                return true;
            if (_pace.IsDue(out _))
                Log.ClockAhead(logger, (long)difference.TotalSeconds);
            return false;
        }
    }

    /// <summary>Takes note of the date of an answer that has just come.</summary>
    public void Note(DateTimeOffset date) => _last = new Seen(date, clock.GetTimestamp());

    private sealed record Seen(DateTimeOffset Date, long At);
}
