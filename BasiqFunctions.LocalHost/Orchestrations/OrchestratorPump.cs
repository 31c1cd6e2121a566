namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>
/// Runs an orchestrator's code in one fixed order on the thread that delivers its events: whatever an await resumes is queued
/// here and run before the next event is delivered.
/// </summary>
/// <param name="resumedFromOutside">Called once when code comes back outside of a turn.</param>
internal sealed class OrchestratorPump(Action resumedFromOutside) : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _queue = [];
    private int _turnThread;

    /// <summary>Whether code came back outside of a turn: the orchestrator awaited a task that its context did not give.</summary>
    public bool WasResumedFromOutside { get; private set; }

    /// <summary>Delivers something to the orchestrator and runs all that it resumes.</summary>
    public void Turn(Action deliver)
    {
        var previous = Current;
        SetSynchronizationContext(this);
        _turnThread = Environment.CurrentManagedThreadId;
        try
        {
            deliver();
            while (_queue.TryDequeue(out var work))
                work.Callback(work.State);
        }
        finally
        {
            _turnThread = 0;
            SetSynchronizationContext(previous);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (Environment.CurrentManagedThreadId == _turnThread)
        {
            _queue.Enqueue((d, state));
        }
        else if (!WasResumedFromOutside)
        {
            WasResumedFromOutside = true;
            resumedFromOutside();
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException();

    public override SynchronizationContext CreateCopy() => this;
}
