using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.DurableTask;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>
/// One execution of an orchestrator: hands it the events of its history, and notes what it asks for.
/// </summary>
/// <remarks>
/// The orchestrator is deterministic, so that the same events give the same requests. Replay relies on it and checks it: every
/// request in the history must be the request that the orchestrator makes at that place.
/// </remarks>
/// <param name="name">The orchestrator's name.</param>
/// <param name="instanceId">The orchestration's id.</param>
/// <param name="input">The input as JSON.</param>
/// <param name="loggerFactory">Where the orchestrator's own log lines go.</param>
/// <param name="resumedFromOutside">Called when the orchestrator turns out to await a task that is not this context's.</param>
#pragma warning disable CA1001 // Disposing of the replay-safe loggers does nothing: the factory behind them is the host's.
internal sealed class LocalOrchestrationContext(
    string name, string instanceId, string? input, ILoggerFactory loggerFactory, Action resumedFromOutside)
    : TaskOrchestrationContext
#pragma warning restore CA1001
{
    /// <summary>The most that a custom status may hold, in bytes of UTF-16, as in Durable Functions.</summary>
    public const int MostCustomStatusBytes = 16 * 1024;

    private readonly OrchestratorPump _pump = new(resumedFromOutside);
    private readonly Dictionary<int, PendingTask> _pending = [];
    private readonly Dictionary<string, Queue<IEventWaiter>> _waiters = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Queue<string?>> _unreadEvents = new(StringComparer.OrdinalIgnoreCase);
    private readonly Queue<JournalEvent> _requests = [];
    private readonly ReplaySafeLoggerFactory _replaySafeLoggers = new(loggerFactory);
    private Task<object?>? _execution;
    private DateTime _now;
    private int _nextTaskId;
    private int _guids;

    public override TaskName Name => name;

    public override string InstanceId => instanceId;

    public override ParentOrchestrationInstance? Parent => null;

    public override DateTime CurrentUtcDateTime => _now;

    public override bool IsReplaying => _replaySafeLoggers.IsReplaying;

    protected override ILoggerFactory LoggerFactory => _replaySafeLoggers;

    /// <summary>The custom status as JSON, or null when none was set.</summary>
    public string? CustomStatus { get; private set; }

    /// <summary>The orchestrator's task, once it has ended.</summary>
    public Task<object?>? Ended => _execution is { IsCompleted: true } ? _execution : null;

    /// <summary>The activities and timers whose outcome has not been delivered, in the order in which they were asked for.</summary>
    public IEnumerable<JournalEvent> PendingRequests => _pending.OrderBy(p => p.Key).Select(p => p.Value.Request);

    public bool IsPending(int taskId) => _pending.ContainsKey(taskId);

    /// <summary>Delivers something that happened, and runs the orchestrator as far as it goes.</summary>
    /// <returns>What the orchestrator asked for in this step, in order.</returns>
    /// <exception cref="NonDeterministicOrchestrationException">The event answers a request that was never made.</exception>
    public IReadOnlyList<JournalEvent> Deliver(JournalEvent happened, Func<TaskOrchestrationContext, Task<object?>> orchestrator)
    {
        _now = happened.At;
        _replaySafeLoggers.IsReplaying = false;
        Step(happened, orchestrator);
        JournalEvent[] requests = [.. _requests];
        _requests.Clear();
        return requests;
    }

    /// <summary>Delivers a history. Afterwards the orchestrator stands where it stood when the last event was written.</summary>
    /// <exception cref="NonDeterministicOrchestrationException">The orchestrator asks for something else than the history holds.</exception>
    public async Task ReplayAsync(
        IAsyncEnumerable<JournalEvent> history, Func<TaskOrchestrationContext, Task<object?>> orchestrator)
    {
        _replaySafeLoggers.IsReplaying = true;
        await foreach (var recorded in history)
        {
            if (recorded.IsRequest)
            {
                if (!_requests.TryDequeue(out var asked))
                    throw Mismatch(recorded, null);
                if (!Matches(recorded, asked))
                    throw Mismatch(recorded, asked);
            }
            else if (_requests.TryDequeue(out var asked))
            {
                throw Mismatch(null, asked);
            }
            else
            {
                _now = recorded.At;
                Step(recorded, orchestrator);
            }
        }

        if (_requests.TryDequeue(out var extra))
            throw Mismatch(null, extra);
        _replaySafeLoggers.IsReplaying = false;
    }

    public override T? GetInput<T>()
        where T : default => Deserialize<T>(input);

    public override async Task<TResult> CallActivityAsync<TResult>(
        TaskName name, object? input = null, TaskOptions? options = null)
    {
        if (options?.Retry?.Policy is not { } policy)
            return await CallOnce<TResult>(name, input);

        var startedAt = CurrentUtcDateTime;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await CallOnce<TResult>(name, input);
            }
            catch (TaskFailedException) when (attempt < policy.MaxNumberOfAttempts)
            {
                var wait = policy.FirstRetryInterval * Math.Pow(policy.BackoffCoefficient, attempt - 1);
                if (wait > policy.MaxRetryInterval)
                    wait = policy.MaxRetryInterval;
                if (policy.RetryTimeout != Timeout.InfiniteTimeSpan
                    && CurrentUtcDateTime + wait - startedAt > policy.RetryTimeout)
                {
                    throw;
                }

                await CreateTimer(CurrentUtcDateTime + wait, CancellationToken.None);
            }
        }
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled(cancellationToken);

        var timer = new PendingTask<object?>(JournalEvent.Timer(_now, _nextTaskId++, fireAt.ToUniversalTime()));
        Ask(timer);
        if (cancellationToken.CanBeCanceled)
        {
            cancellationToken.Register(() =>
            {
                if (_pending.Remove(timer.Request.TaskId!.Value))
                    timer.Cancel(cancellationToken);
            });
        }

        return timer.Task;
    }

    public override Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellationToken);
        if (_unreadEvents.TryGetValue(eventName, out var unread) && unread.TryDequeue(out var payload))
        {
            var read = new EventWaiter<T>();
            read.TryReceive(payload);
            return read.Task;
        }

        var waiter = new EventWaiter<T>();
        if (!_waiters.TryGetValue(eventName, out var waiters))
            _waiters[eventName] = waiters = [];
        waiters.Enqueue(waiter);
        if (cancellationToken.CanBeCanceled)
            cancellationToken.Register(() => waiter.Cancel(cancellationToken));
        return waiter.Task;
    }

    public override void SetCustomStatus(object? customStatus)
    {
        var json = JsonSerializer.Serialize(customStatus);
        if (json.Length * sizeof(char) > MostCustomStatusBytes)
        {
            throw new ArgumentException(
                $"The custom status has {json.Length * sizeof(char)} bytes as UTF-16; the most is {MostCustomStatusBytes}.",
                nameof(customStatus));
        }

        CustomStatus = json;
    }

    public override Guid NewGuid()
    {
        var seed = Encoding.UTF8.GetBytes($"{instanceId}\n{_now.Ticks}\n{_guids++}");
        return new Guid(SHA256.HashData(seed).AsSpan(0, 16));
    }

    public override void SendEvent(string instanceId, string eventName, object payload) => throw NotHosted("SendEvent");

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(
        TaskName orchestratorName, object? input = null, TaskOptions? options = null) =>
        throw NotHosted("CallSubOrchestratorAsync");

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) =>
        throw NotHosted("ContinueAsNew");

    private static NotSupportedException NotHosted(string member) =>
        new($"LocalHost does not offer {member}: no orchestration of this app uses it.");

    private static T? Deserialize<T>(string? json) => json is null ? default : JsonSerializer.Deserialize<T>(json);

    private static bool Matches(JournalEvent recorded, JournalEvent asked) =>
        recorded.Kind == asked.Kind
        && recorded.TaskId == asked.TaskId
        && string.Equals(recorded.Name, asked.Name, StringComparison.OrdinalIgnoreCase)
        && recorded.Payload == asked.Payload;

    private static string Describe(JournalEvent request) => request.Kind is JournalEventKind.TimerCreated
        ? $"timer {request.TaskId} for {request.Payload}"
        : $"activity {request.TaskId} '{request.Name}'";

    private NonDeterministicOrchestrationException Mismatch(JournalEvent? recorded, JournalEvent? asked)
    {
        var difference = (recorded, asked) switch
        {
            ({ } r, null) => $"its history has {Describe(r)}, which it no longer asks for",
            (null, { } a) => $"it asks for {Describe(a)}, which its history does not have",
            ({ } r, { } a) when Describe(r) == Describe(a) => $"it asks for {Describe(a)} with another input than its history has",
            var (r, a) => $"its history has {Describe(r!)}, but it asks for {Describe(a!)}",
        };
        return new NonDeterministicOrchestrationException(
            $"Orchestrator '{name}' of instance '{instanceId}' does not replay: {difference}. "
            + "Either its code changed while the instance was running, or it depends on something that differs between runs "
            + "(a clock, a random number, a static).");
    }

    private async Task<TResult> CallOnce<TResult>(TaskName activity, object? activityInput)
    {
        var call = new PendingTask<TResult>(new JournalEvent(
            JournalEventKind.ActivityScheduled, _now, _nextTaskId++, activity.Name, JsonSerializer.Serialize(activityInput)));
        Ask(call);
        return await call.Task;
    }

    private void Ask(PendingTask task)
    {
        _pending.Add(task.Request.TaskId!.Value, task);
        _requests.Enqueue(task.Request);
    }

    /// <exception cref="NonDeterministicOrchestrationException">It awaited a task that its context did not give.</exception>
    public void ThrowIfResumedFromOutside()
    {
        if (_pump.WasResumedFromOutside)
        {
            throw new NonDeterministicOrchestrationException(
                $"Orchestrator '{name}' of instance '{instanceId}' awaited a task that its context did not give. "
                + "Such work belongs in an activity.");
        }
    }

    private void Step(JournalEvent happened, Func<TaskOrchestrationContext, Task<object?>> orchestrator)
    {
        _pump.Turn(() => Apply(happened, orchestrator));
        ThrowIfResumedFromOutside();
    }

    private void Apply(JournalEvent happened, Func<TaskOrchestrationContext, Task<object?>> orchestrator)
    {
        switch (happened.Kind)
        {
            case JournalEventKind.Started:
                _execution = Run(orchestrator);
                break;
            case JournalEventKind.EventRaised:
                Raise(happened.Name!, happened.Payload);
                break;
            case JournalEventKind.TimerFired when !_pending.ContainsKey(happened.TaskId!.Value):
                // The orchestrator gave the timer up while it was firing.
                break;
            default:
                if (!_pending.Remove(happened.TaskId!.Value, out var task))
                    throw Mismatch(happened with { Kind = JournalEventKind.ActivityScheduled }, null);
                task.Settle(happened);
                break;
        }
    }

    private async Task<object?> Run(Func<TaskOrchestrationContext, Task<object?>> orchestrator) => await orchestrator(this);

    private void Raise(string eventName, string? payload)
    {
        if (_waiters.TryGetValue(eventName, out var waiters))
        {
            while (waiters.TryDequeue(out var waiter))
            {
                if (waiter.TryReceive(payload))
                    return;
            }
        }

        if (!_unreadEvents.TryGetValue(eventName, out var unread))
            _unreadEvents[eventName] = unread = [];
        unread.Enqueue(payload);
    }

    private interface IEventWaiter
    {
        bool TryReceive(string? payload);
    }

    private sealed class EventWaiter<T> : IEventWaiter
    {
        private readonly TaskCompletionSource<T> _source = new();

        public Task<T> Task => _source.Task;

        public bool TryReceive(string? payload)
        {
            if (_source.Task.IsCompleted)
                return false;
            try
            {
                return _source.TrySetResult(Deserialize<T>(payload)!);
            }
            catch (JsonException exception)
            {
                return _source.TrySetException(exception);
            }
        }

        public void Cancel(CancellationToken token) => _source.TrySetCanceled(token);
    }

    private abstract class PendingTask(JournalEvent request)
    {
        public JournalEvent Request { get; } = request;

        public abstract void Settle(JournalEvent outcome);
    }

    private sealed class PendingTask<T>(JournalEvent request) : PendingTask(request)
    {
        private readonly TaskCompletionSource<T> _source = new();

        public Task<T> Task => _source.Task;

        public void Cancel(CancellationToken token) => _source.TrySetCanceled(token);

        public override void Settle(JournalEvent outcome)
        {
            if (outcome.Kind is JournalEventKind.ActivityFailed)
                _source.SetException(new TaskFailedException(Request.Name!, Request.TaskId!.Value, outcome.ReadFailure()));
            else
                SetResult(outcome.Payload);
        }

        private void SetResult(string? payload)
        {
            try
            {
                _source.SetResult(Deserialize<T>(payload)!);
            }
            catch (JsonException exception)
            {
                // Not what the orchestrator awaits: its matter, now and on every replay.
                _source.SetException(exception);
            }
        }
    }
}
