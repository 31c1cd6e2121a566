using System.Runtime.InteropServices;

namespace BasiqFunctions.Basiq.Auth;

/// <summary>
/// How many requests were counted within a sliding window, in a hundred segments; a permit is free again when its whole segment has left
/// the window, so that no window of that length, wherever it begins, holds more than the limit.
/// </summary>
/// <remarks>
/// Segments are counted from the year 1 by each instance's clock. The row's is never turned back; one that is a whole window ahead is some
/// clock's mistake, and counts for nothing.
/// </remarks>
internal sealed class TokenWindow
{
    private const int Segments = 100;

    /// <summary>Of each segment still in the window, the number of requests; and before them the latest segment.</summary>
    private readonly long[] _row = new long[Segments + 2];
    private readonly long _segmentTicks;
    private long _total;

    private TokenWindow(long segmentTicks) => _segmentTicks = segmentTicks;

    private long Latest => _row[0];

    public static TokenWindow Read(byte[]? content, TimeSpan length, DateTimeOffset now)
    {
        var window = new TokenWindow(Math.Max(1, (length.Ticks + Segments - 1) / Segments));
        var segment = now.UtcTicks / window._segmentTicks;
        if (content?.Length == window._row.Length * sizeof(long))
            MemoryMarshal.Cast<byte, long>(content).CopyTo(window._row);
        if (window.Latest > segment + Segments)
            Array.Clear(window._row);
        window.Advance(segment);
        foreach (var count in window._row.AsSpan(1))
            window._total += count;
        return window;
    }

    public byte[] ToContent() => MemoryMarshal.AsBytes(_row.AsSpan()).ToArray();

    public TokenPermit Take(int limit, DateTimeOffset now)
    {
        if (_total >= limit)
            return TokenPermit.Refused(TimeSpan.FromTicks(FreeAt(_total - limit + 1) - now.UtcTicks));
        Count(Latest)++;
        _total++;
        return TokenPermit.Granted(Latest);
    }

    public void GiveBack(long segment)
    {
        if (segment < Latest - Segments || segment > Latest || Count(segment) == 0)
            return;
        Count(segment)--;
        _total--;
    }

    private ref long Count(long segment) => ref _row[1 + (segment % (Segments + 1))];

    /// <summary>Moves on to a segment and forgets those that have left the window.</summary>
    private void Advance(long segment)
    {
        for (var steps = Math.Min(segment - Latest, Segments + 1); steps > 0; steps--)
            Count(segment - steps + 1) = 0;
        _row[0] = Math.Max(Latest, segment);
    }

    /// <summary>When so many of the permits that are taken will have been returned, in ticks.</summary>
    private long FreeAt(long count)
    {
        for (var segment = Latest - Segments; segment < Latest; segment++)
        {
            if ((count -= Count(segment)) <= 0)
                return (segment + Segments + 1) * _segmentTicks;
        }

        return (Latest + Segments + 1) * _segmentTicks;
    }
}
