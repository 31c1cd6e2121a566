using System.Collections.Concurrent;

namespace BasiqFunctions.Notifications;

/// <summary>
/// How many messages are on their way to one receiver at a time. One that did not answer in time is asked by one at a time until it does:
/// what waits for it takes the turn of what waits for others.
/// </summary>
internal sealed class ReceiverGates
{
    private const int Most = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Gate> _gates = new(StringComparer.Ordinal);

    /// <summary>Waits for a place at a receiver, for a while; null when there is none.</summary>
    public async Task<Pass?> EnterAsync(string receiver, CancellationToken cancellation)
    {
        var gate = _gates.GetOrAdd(receiver, _ => new Gate());
        var isProbe = gate.IsSlow;
        return await (isProbe ? gate.Probe.WaitAsync(TimeSpan.Zero, cancellation) : gate.Places.WaitAsync(Patience, cancellation))
            ? new Pass(gate, isProbe)
            : null;
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

        public SemaphoreSlim Probe { get; } = new(1);

        public bool IsSlow { get => _isSlow; set => _isSlow = value; }
    }
}
