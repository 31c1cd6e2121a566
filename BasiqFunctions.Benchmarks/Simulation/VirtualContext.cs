using BasiqFunctions.Sync;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace BasiqFunctions.Benchmarks.Simulation;

/// <summary>
/// An orchestration's host with a clock that jumps from one timer to the next: the app's own polling, minutes of it in no time.
/// One job runs until a moment; what comes after it was noticed is not simulated.
/// </summary>
internal sealed class VirtualContext(SyncInput input, TimeSpan jobEnds) : TaskOrchestrationContext
{
    private readonly DateTime _start = new(2026, 7, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly PriorityQueue<TaskCompletionSource, TimeSpan> _timers = new();
    private TaskCompletionSource<string?>? _jobChanged;
    private TimeSpan _now;

    /// <summary>How often the job was asked for.</summary>
    public int Polls { get; private set; }

    /// <summary>When a poll first saw the job's end; null while none has.</summary>
    public TimeSpan? NoticedAt { get; private set; }

    public override TaskName Name => SyncOrchestration.Name;

    public override string InstanceId => "simulated";

    public override ParentOrchestrationInstance? Parent => null;

    public override DateTime CurrentUtcDateTime => _start + _now;

    public override bool IsReplaying => false;

    protected override ILoggerFactory LoggerFactory => NullLoggerFactory.Instance;

    /// <summary>Moves to the next timer, or to the job's end when that comes first and is told at once, as by a webhook.</summary>
    public void Advance(bool tellEnd)
    {
        if (tellEnd && _jobChanged is { } waiting && _now <= jobEnds && _timers.TryPeek(out _, out var next) && next > jobEnds)
        {
            _now = jobEnds;
            _jobChanged = null;
            waiting.SetResult(null);
            return;
        }

        if (!_timers.TryDequeue(out var timer, out var at))
            throw new InvalidOperationException("The sync waits for nothing.");
        _now = at > _now ? at : _now;
        timer.TrySetResult();
    }

    public override T? GetInput<T>()
        where T : default => (T)(object)input;

    public override Task<TResult> CallActivityAsync<TResult>(TaskName name, object? activityInput = null, TaskOptions? options = null)
    {
        // What follows the last poll is not simulated.
        if (name.Name != nameof(SyncActivities.ObserveJob))
            return new TaskCompletionSource<TResult>().Task;
        Polls++;
        var ended = _now >= jobEnds;
        if (ended)
            NoticedAt ??= _now;
        var job = input.Jobs[0] with { Status = ended ? JobState.Success : JobState.InProgress };
        return Task.FromResult((TResult)(object)new Outcome<SyncedJob>(job));
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        var timer = new TaskCompletionSource();
        cancellationToken.Register(() => timer.TrySetCanceled(cancellationToken));
        _timers.Enqueue(timer, fireAt - _start);
        return timer.Task;
    }

    public override Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default)
    {
        if (eventName != SyncOrchestration.JobChangedEvent)
            return new TaskCompletionSource<T>().Task;
        _jobChanged = new TaskCompletionSource<string?>();
        return (Task<T>)(object)_jobChanged.Task;
    }

    public override void SetCustomStatus(object? customStatus)
    {
        // Nobody reads it here.
    }

    public override Guid NewGuid() => throw new NotSupportedException();

    public override void SendEvent(string instanceId, string eventName, object payload) => throw new NotSupportedException();

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(
        TaskName orchestratorName, object? orchestratorInput = null, TaskOptions? options = null) => throw new NotSupportedException();

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) => throw new NotSupportedException();
}
