using Microsoft.Extensions.Options;

namespace BasiqFunctions.Basiq;

/// <summary>
/// Counts the requests for tokens of this process in a sliding window and takes no more than the settings allow. Basiq refuses
/// more than 1,500 in 5 minutes, and a refusal would hit the server token as well (Basiq, Authentication): so some permits are
/// kept for that one.
/// </summary>
/// <remarks>
/// The window is kept in a hundred segments; a permit is free again when its whole segment has left the window, so that no
/// window of that length, wherever it begins, holds more than the limit. A crowd that must be refused is refused without the lock.
/// </remarks>
internal sealed class TokenRequestLimiter
{
    private const int Segments = 100;

    /// <summary>The segment of a permit that was not counted.</summary>
    private const long Nowhere = -1;

    private readonly Lock _gate = new();
    private readonly TimeProvider _timeProvider;
    private readonly int[] _taken = new int[Segments + 1];
    private readonly bool _isOff;
    private readonly int _limit;
    private readonly int _limitOfClients;
    private readonly long _segmentTicks;
    private readonly long _origin;
    private long _segment;
    private int _total;
    private long _fullForClientsUntil;

    public TokenRequestLimiter(IOptions<BasiqOptions> options, TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        _isOff = options.Value.TokenRequestLimit is null;
        _limit = options.Value.TokenRequestLimit ?? 0;
        _limitOfClients = _limit - ReservedOf(_limit);
        _segmentTicks = Math.Max(1, (long)Math.Ceiling(options.Value.TokenRequestWindow.TotalSeconds * timeProvider.TimestampFrequency / Segments));
        _origin = timeProvider.GetTimestamp();
    }

    /// <summary>How many permits only the server token gets: a twentieth.</summary>
    internal static int ReservedOf(int limit) => Math.Max(1, limit / 20);

    /// <summary>Takes a permit.</summary>
    /// <param name="forServerToken">Whether it may be one of the reserved.</param>
    /// <param name="segment">Where it was counted, for <see cref="GiveBack"/>.</param>
    /// <param name="retryAfter">Without one, when the next will be free.</param>
    public bool TryTake(bool forServerToken, out long segment, out TimeSpan retryAfter)
    {
        if (_isOff)
        {
            (segment, retryAfter) = (Nowhere, TimeSpan.Zero);
            return true;
        }

        var now = _timeProvider.GetTimestamp() - _origin;
        if (!forServerToken && Volatile.Read(ref _fullForClientsUntil) is var fullUntil && now < fullUntil)
        {
            (segment, retryAfter) = (Nowhere, Span(fullUntil - now));
            return false;
        }

        lock (_gate)
        {
            Advance(now / _segmentTicks);
            var limit = forServerToken ? _limit : _limitOfClients;
            if (_total < limit)
            {
                segment = _segment;
                _taken[segment % _taken.Length]++;
                _total++;
                retryAfter = TimeSpan.Zero;
                return true;
            }

            var freeAt = FreeAt(_total - limit + 1);
            if (!forServerToken)
                Volatile.Write(ref _fullForClientsUntil, freeAt);
            (segment, retryAfter) = (Nowhere, Span(freeAt - now));
            return false;
        }
    }

    /// <summary>Returns a permit that no request was sent with.</summary>
    public void GiveBack(long segment)
    {
        lock (_gate)
        {
            if (segment is Nowhere || segment < _segment - Segments)
                return;
            _taken[segment % _taken.Length]--;
            _total--;
            Volatile.Write(ref _fullForClientsUntil, 0);
        }
    }

    /// <summary>Moves on to a segment and forgets those that have left the window.</summary>
    private void Advance(long segment)
    {
        for (var steps = Math.Min(segment - _segment, _taken.Length); steps > 0; steps--)
        {
            ref var oldest = ref _taken[(segment - steps + 1) % _taken.Length];
            _total -= oldest;
            oldest = 0;
        }

        _segment = Math.Max(_segment, segment);
    }

    /// <summary>When so many of the permits that are taken will have been returned.</summary>
    private long FreeAt(int count)
    {
        for (var age = Segments; age > 0; age--)
        {
            var segment = _segment - age;
            if (segment >= 0 && (count -= _taken[segment % _taken.Length]) <= 0)
                return (segment + _taken.Length) * _segmentTicks;
        }

        return (_segment + _taken.Length) * _segmentTicks;
    }

    private TimeSpan Span(long timestamps) => _timeProvider.GetElapsedTime(0, timestamps);
}
