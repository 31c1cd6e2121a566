using System.Collections.Concurrent;

namespace BasiqFunctions.Notifications;

/// <summary>
/// How many messages are on their way to one receiver at a time. One that did not answer in time is asked by one at a time until it does.
/// Few wait for a place, and not for long: what waits for one receiver takes the turn of what waits for others.
/// </summary>
internal sealed class ReceiverGates
{
    private const int Most = 6;
    private const int MostWaiting = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Gate> _gates = new(StringComparer.Ordinal);

    /// <summary>A place at a receiver; null when there is none, and then whether that is because it does not answer in time.</summary>
    public async Task<(Pass? Pass, bool IsSlow)> EnterAsync(string receiver, CancellationToken cancellation)
    {
        var gate = _gates.GetOrAdd(receiver, _ => new Gate());
        if (gate.IsSlow)
            return (await gate.Probe.WaitAsync(TimeSpan.Zero, cancellation) ? new Pass(gate, isProbe: true) : null, true);
        if (await gate.Places.WaitAsync(TimeSpan.Zero, cancellation))
            return (new Pass(gate, isProbe: false), false);
        if (!await gate.Waiting.WaitAsync(TimeSpan.Zero, cancellation))
            return (null, false);
        try
        {
            return (await gate.Places.WaitAsync(Patience, cancellation) ? new Pass(gate, isProbe: false) : null, gate.IsSlow);
        }
        finally
        {
            gate.Waiting.Release();
        }
    }

    /// <summary>A place at a receiver; disposing of it gives it back.</summary>
    public sealed class Pass : IDisposable
    {
        private readonly Gate _gate;
        private readonly bool _isProbe;

        internal Pass(Gate gate, bool isProbe) => (_gate, _isProbe) = (gate, isProbe);

        /// <summary>Notes whether the receiver answered in time.</summary>
        public void Answered(bool inTime) => _gate.IsSlow = !inTime;

        public void Dispose() => (_isProbe ? _gate.Probe : _gate.Places).Release();
    }

    /// <summary>Who may ask a receiver.</summary>
    internal sealed class Gate
    {
        private volatile bool _isSlow;

        public SemaphoreSlim Places { get; } = new(Most);

        public SemaphoreSlim Waiting { get; } = new(MostWaiting);

        public SemaphoreSlim Probe { get; } = new(1);

        public bool IsSlow { get => _isSlow; set => _isSlow = value; }
    }
}
