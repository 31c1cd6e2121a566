using BasiqFunctions.Platform.Records;
using DurableTask.Core;
using DurableTask.Core.Command;
using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>
/// One unfinished orchestration in memory. Whatever happens to it is queued and taken one turn at a time: execute, write the turn to
/// the journal, and only then act on what the orchestrator asked for.
/// </summary>
/// <remarks>
/// After a restart, what was asked for and has no answer is asked for again. An event that it sends to another orchestration is sent
/// again only when the last turn sent it: it may come twice, as in Azure, and is lost when the process dies just before the other
/// orchestration has written it and just after this one has written a further turn.
/// </remarks>
internal sealed class LiveOrchestration : IDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly OrchestrationEngine _engine;
    private readonly Func<TaskOrchestrationContext, Task<object?>> _orchestrator;
    private readonly ILogger _logger;
    private readonly Dictionary<int, ITimer> _timers = [];

    /// <summary>What was asked for and has no answer yet.</summary>
    private readonly SortedDictionary<int, HistoryEvent> _open = [];

    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _cancellation;
    private readonly Lock _gate = new();
    private OrchestrationExecution? _execution;
    private List<Message> _mailbox = [];
    private bool _isTakingTurns;

    /// <summary>Those of the present turn: whoever waits for them hears of it when the journal cannot be written.</summary>
    private List<Message> _inTurn = [];

    /// <summary>Why it could not be started.</summary>
    private Exception? _notStarted;

    private InstanceRecord _record;
    private (DateTime Time, long At)? _takenUp;
    private DateTime _lastTurnAt;
    private int _turns;

    private LiveOrchestration(
        OrchestrationEngine engine, InstanceRecord record, Func<TaskOrchestrationContext, Task<object?>> orchestrator)
    {
        _engine = engine;
        _orchestrator = orchestrator;
        _record = record;
        _logger = engine.LoggerFactory.CreateLogger<LiveOrchestration>();
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(engine.Stopping);
        Cancellation = _cancellation.Token;
    }

    /// <summary>A new orchestration.</summary>
    /// <param name="engine">Its host.</param>
    /// <param name="record">Its row, which the journal does not have yet.</param>
    /// <param name="orchestrator">The orchestrator function.</param>
    /// <param name="parent">The orchestration that waits for its outcome, if one does.</param>
    public static LiveOrchestration New(
        OrchestrationEngine engine, InstanceRecord record, Func<TaskOrchestrationContext, Task<object?>> orchestrator, ParentInstance? parent)
    {
        var instance = new LiveOrchestration(engine, record, orchestrator);
        instance._mailbox.Add(new Message(instance.NewStart(record.Input, parent), instance._started));
        return instance;
    }

    /// <summary>An orchestration that was under way when the host stopped.</summary>
    public static LiveOrchestration Unfinished(
        OrchestrationEngine engine, InstanceRecord record, Func<TaskOrchestrationContext, Task<object?>> orchestrator)
    {
        var instance = new LiveOrchestration(engine, record, orchestrator);
        instance._mailbox.Add(new Message(null, instance._started));
        return instance;
    }

    /// <summary>The orchestration's row as last written.</summary>
    public InstanceRecord Record => Volatile.Read(ref _record);

    /// <summary>
    /// Ends when the journal has the orchestration's start, and its history, if it has one, is replayed; with the reason when it cannot
    /// be started.
    /// </summary>
    public Task Started => _started.Task;

    /// <summary>Ends when the orchestration has ended and its journal says so.</summary>
    public Task Finished => _finished.Task;

    /// <summary>Cancelled when the orchestration has ended or the host stops.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Lets it begin, or go on.</summary>
    public void Begin()
    {
        lock (_gate)
            TakeTurns();
    }

    /// <summary>
    /// Tells it of something that happened; the task completes when the journal has it, and fails when the journal cannot be written. It
    /// may have happened all the same then.
    /// </summary>
    public Task PostAsync(HistoryEvent happened)
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(new Message(happened, taken));
        return taken.Task;
    }

    /// <summary>Tells it of something that happened, which will happen again when the host stops before the journal has it.</summary>
    public void Post(HistoryEvent happened) => Post(new Message(happened, null));

    /// <summary>Ends it, and with it, if that is asked for, the orchestrations that it has started.</summary>
    public async Task TerminateAsync(string? output, bool isRecursive)
    {
        string[] children;
        lock (_gate)
            children = isRecursive ? [.. _open.Values.OfType<SubOrchestrationInstanceCreatedEvent>().Select(c => c.InstanceId)] : [];
        await PostAsync(new ExecutionTerminatedEvent(-1, output));
        foreach (var child in children)
        {
            if (_engine.FindLive(child) is { } live)
                await live.TerminateAsync(output, isRecursive);
        }
    }

    /// <summary>Tells it how an orchestration has ended that it has started. It asks by itself when it is taken up again later.</summary>
    public void ChildEnded(ParentInstance parent, InstanceRecord child)
    {
        if (_execution?.Start.OrchestrationInstance.ExecutionId != parent.OrchestrationInstance.ExecutionId)
            return;
        Post(child switch
        {
            { Status: OrchestrationRuntimeStatus.Completed } =>
                new SubOrchestrationInstanceCompletedEvent(-1, parent.TaskScheduleId, child.Output),
            { Failure: { } failure } => Failed(RecordedFailure.Parse(failure).ToCore()),
            _ => Failed(new FailureDetails(
                typeof(OrchestrationException).FullName!, $"Orchestration '{child.InstanceId}' was terminated.", null, null, isNonRetriable: true)),
        });

        SubOrchestrationInstanceFailedEvent Failed(FailureDetails details) =>
            new(-1, parent.TaskScheduleId, details.ErrorMessage, null, details);
    }

    public void Dispose()
    {
        foreach (var timer in _timers.Values)
            timer.Dispose();
        _cancellation.Dispose();
    }

    private void Post(Message message)
    {
        lock (_gate)
        {
            if (_notStarted is { } reason)
            {
                message.Taken?.TrySetException(reason);
                return;
            }

            _mailbox.Add(message);
            TakeTurns();
        }
    }

    private void TakeTurns()
    {
        if (_isTakingTurns)
            return;
        _isTakingTurns = true;
        Task turns;
        try
        {
            turns = Task.Run(TakeTurnsAsync);
        }
        catch (OutOfMemoryException)
        {
            _isTakingTurns = false;
            throw;
        }

        _engine.Track(turns);
    }

    private async Task TakeTurnsAsync()
    {
        Exception? fault = null;
        while (true)
        {
            try
            {
                if (fault is null && !HasMessages())
                    return;
                if (fault is not null)
                    await RecoverAsync(fault);
                await TakeTurnAsync(_inTurn);
                fault = null;
            }
            catch (OperationCanceledException) when (_engine.Stopping.IsCancellationRequested)
            {
                Drop(_inTurn);
                fault = null;
            }
            catch (Exception exception) when (IsNew && !Shortage.IsBehind(exception))
            {
                GiveUp(exception);
                return;
            }
#pragma warning disable CA1031 // An orchestration that nobody looks after any more would hang.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                fault = exception;
                Thread.Sleep(Shortage.Pause);
            }
        }
    }

    /// <summary>Whether the journal has nothing of it yet.</summary>
    private bool IsNew => Record.Status is OrchestrationRuntimeStatus.Pending;

    private bool HasMessages()
    {
        lock (_gate)
        {
            if (_mailbox.Count > 0 && !_engine.Stopping.IsCancellationRequested)
            {
                (_inTurn, _mailbox) = (_mailbox, []);
                return true;
            }

            _isTakingTurns = false;
            Drop(_mailbox);
            _mailbox = [];
            return false;
        }
    }

    /// <summary>Lets go of what was not recorded: it happens again after the next start.</summary>
    private void Drop(List<Message> messages)
    {
        foreach (var message in messages)
            message.Taken?.TrySetCanceled(_engine.Stopping);
    }

    /// <summary>Takes it out of memory: the journal has nothing of it, and who wants it started hears why.</summary>
    private void GiveUp(Exception reason)
    {
        _engine.Unload(this);
        lock (_gate)
        {
            _notStarted = reason;
            foreach (var message in (List<Message>)[.. _inTurn, .. _mailbox])
                message.Taken?.TrySetException(reason);
        }

        _finished.TrySetException(reason);
        Dispose();
    }

    /// <summary>
    /// Goes back to what the journal has after a turn that broke in the middle: where memory was short the turn is taken again, and any
    /// other fault ends the orchestration.
    /// </summary>
    private async Task RecoverAsync(Exception fault)
    {
        await Task.Delay(RetryDelay, _engine.Time, _engine.Stopping);
        _engine.TellFault(fault);
        if (IsNew)
            return;
        if (await _engine.Journal.FindAsync(Record.InstanceId, _engine.Stopping) is { } written)
            Volatile.Write(ref _record, written);
        if (Record.IsFinished)
            return;
        if (fault is StoreUnavailableException || Shortage.IsBehind(fault))
            await ReplayAsync();
        else
            await EndAsync(fault);
    }

    private async Task TakeTurnAsync(List<Message> messages)
    {
        if (_execution is null && !IsNew)
            await ReplayAsync();

        List<HistoryEvent> happened = [];
        if (!Record.IsFinished)
        {
            foreach (var message in messages)
            {
                if (message.Happened is { } e && (IsNew || e is not ExecutionStartedEvent) && Concerns(e))
                    happened.Add(e);
            }
        }

        if (!Record.IsFinished && (happened.Count > 0 || messages.Exists(m => m.IsCheck)))
            await ExecuteAsync(happened);
        if (Record.IsFinished)
            Finish();
        foreach (var message in messages)
            message.Taken?.TrySetResult();
    }

    /// <summary>Whether it needs to know: an answer to what it no longer waits for says nothing.</summary>
    private bool Concerns(HistoryEvent happened)
    {
        lock (_gate)
            return AnsweredBy(happened) is not { } task || _open.Remove(task);
    }

    private async Task ExecuteAsync(List<HistoryEvent> happened)
    {
        _lastTurnAt = Now();
        var record = Record with { UpdatedAt = _lastTurnAt };
        List<HistoryEvent> sent = [];
        while (true)
        {
            _engine.Stopping.ThrowIfCancellationRequested();
            List<HistoryEvent> turn = [new OrchestratorStartedEvent(-1) { Timestamp = _lastTurnAt }, .. happened];
            foreach (var e in happened)
            {
                e.Timestamp = _lastTurnAt;
                record = record with { Status = StatusAfter(e, record.Status) };
            }

            if (happened is [ExecutionStartedEvent start, ..])
            {
                _execution = new OrchestrationExecution(start, _orchestrator, _engine.LoggerFactory, Check);
                _turns = 0;
            }

            var (requests, end, thrown) = Take(turn);
            if (end is { OrchestrationStatus: OrchestrationStatus.ContinuedAsNew })
            {
                // What it has sent itself comes along; what it waited for no longer matters.
                var own = requests.OfType<EventSentEvent>().Where(e => e.InstanceId == record.InstanceId).ToList();
                sent.AddRange(requests.OfType<EventSentEvent>().Except(own));
                ForgetOpen();
                record = record with { Input = end.Result, CustomStatus = _execution!.CustomStatus ?? record.CustomStatus };
                happened =
                [
                    NewStart(end.Result, _execution.Start.ParentInstance),
                    .. end.CarryoverEvents,
                    .. own.Select(e => new EventRaisedEvent(-1, e.Input) { Name = e.Name }),
                ];
                continue;
            }

            turn.AddRange(requests);
            if (end is not null)
            {
                turn.Add(EndOf(end));
                record = Ended(record, end, thrown);
            }

            turn.Add(new OrchestratorCompletedEvent(-1));
            record = record with { CustomStatus = _execution!.CustomStatus ?? (_turns == 0 ? record.CustomStatus : null) };
            await WriteAsync(record, turn);
            Open(requests);
            Dispatch([.. sent, .. requests]);
            return;
        }
    }

    private OrchestrationExecution.Turn Take(List<HistoryEvent> turn)
    {
        try
        {
            return _execution!.Take(turn);
        }
#pragma warning disable CA1031 // What the executor lets through, such as an event that cannot be read, ends the orchestration, as in Azure.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return new OrchestrationExecution.Turn([], Failure(exception), exception);
        }
    }

    private static OrchestrationCompleteOrchestratorAction Failure(Exception exception) => new()
    {
        OrchestrationStatus = OrchestrationStatus.Failed,
        FailureDetails = new FailureDetails(exception),
    };

    /// <summary>The event of an end. The result of a failure is a message, not JSON, and stands in the failure already.</summary>
    private static ExecutionCompletedEvent EndOf(OrchestrationCompleteOrchestratorAction end) =>
        new(end.Id, end.FailureDetails is null ? end.Result : null, end.OrchestrationStatus, end.FailureDetails);

    private InstanceRecord Ended(InstanceRecord record, OrchestrationCompleteOrchestratorAction end, Exception? thrown)
    {
        if (end.FailureDetails is { } failure)
        {
            Log.OrchestrationFailed(_logger, record.Name, record.InstanceId, thrown ?? new OrchestrationException(failure.ErrorMessage));
            return record with { Status = OrchestrationRuntimeStatus.Failed, Failure = HistoryJson.WriteFailure(failure) };
        }

        var status = end.OrchestrationStatus is OrchestrationStatus.Terminated
            ? OrchestrationRuntimeStatus.Terminated
            : OrchestrationRuntimeStatus.Completed;
        return record with { Status = status, Output = end.Result };
    }

    private static OrchestrationRuntimeStatus StatusAfter(HistoryEvent happened, OrchestrationRuntimeStatus status) => happened switch
    {
        ExecutionStartedEvent or ExecutionResumedEvent => OrchestrationRuntimeStatus.Running,
        ExecutionSuspendedEvent => OrchestrationRuntimeStatus.Suspended,
        _ => status,
    };

    /// <summary>Brings the orchestrator to where its history ends, as often as reading that takes.</summary>
    private async Task ReplayAsync()
    {
        while (true)
        {
            try
            {
                await ReplayOnceAsync();
                return;
            }
            catch (StoreUnavailableException exception)
            {
                await WaitForJournalAsync(exception);
            }
        }
    }

    private async Task ReplayOnceAsync()
    {
        ForgetOpen();
        (_execution, _turns) = (null, 0);
        IReadOnlyList<HistoryEvent> last = [];
        try
        {
            await foreach (var turn in _engine.Journal.ReadHistoryAsync(Record.InstanceId, _engine.Stopping))
            {
                _turns++;
                _lastTurnAt = turn[0].Timestamp;
                _execution ??= new OrchestrationExecution(
                    turn.OfType<ExecutionStartedEvent>().First(), _orchestrator, _engine.LoggerFactory, Check);
                _execution.Replay(turn);
                foreach (var e in turn)
                    Concerns(e);
                Open(turn);
                last = turn;
            }

            if (_execution is null)
                throw new InvalidOperationException("The journal has no history of it.");
            _execution.EndReplay();
            TakeUp(_lastTurnAt);
        }
#pragma warning disable CA1031 // A history that cannot be replayed, for whatever reason but a passing one, never can be.
        catch (Exception exception) when (
            exception is not StoreUnavailableException and not OperationCanceledException && !Shortage.IsBehind(exception))
#pragma warning restore CA1031
        {
            await EndAsync(exception);
            return;
        }

        Dispatch([.. _open.Values, .. last.OfType<EventSentEvent>()]);
    }

    /// <summary>Has it fail. The replay may have stopped in the middle; the failure goes behind all that there is.</summary>
    private async Task EndAsync(Exception exception)
    {
        _turns = await _engine.Journal.CountTurnsAsync(Record.InstanceId, _engine.Stopping);
        var end = Failure(exception);
        await WriteAsync(
            Ended(Record, end, exception),
            [
                new OrchestratorStartedEvent(-1) { Timestamp = _lastTurnAt },
                EndOf(end),
                new OrchestratorCompletedEvent(-1),
            ]);
    }

    /// <summary>
    /// Writes a turn, as often as it takes: the orchestrator has moved on, so a turn that is not on disk must get there before
    /// anything else happens. A start is written once or not at all: whoever asked for it can ask again.
    /// </summary>
    private async Task WriteAsync(InstanceRecord record, IReadOnlyList<HistoryEvent> turn)
    {
        while (true)
        {
            try
            {
                await _engine.Journal.WriteTurnAsync(record, _turns, turn);
                break;
            }
            catch (StoreUnavailableException exception) when (!IsNew)
            {
                await WaitForJournalAsync(exception);
            }
        }

        _turns++;
        Volatile.Write(ref _record, record);
    }

    /// <summary>Tells those who wait that the journal cannot be used, and gives it a while. What is still to be taken is not, then.</summary>
    private async Task WaitForJournalAsync(StoreUnavailableException exception)
    {
        _engine.TellJournalTrouble(exception);
        lock (_gate)
        {
            foreach (var messages in (List<Message>[])[_inTurn, _mailbox])
                messages.RemoveAll(m => m is { Happened: not null, Taken: { } waiting } && waiting.TrySetException(exception));
        }

        await Task.Delay(RetryDelay, _engine.Time, _engine.Stopping);
    }

    /// <summary>
    /// The orchestration's own time: the clock's when it is taken up, and from then on what has passed, however the clock is set.
    /// </summary>
    private DateTime Now()
    {
        if (_takenUp is null)
            TakeUp(DateTime.MinValue);
        var (time, at) = _takenUp!.Value;
        return time + _engine.Time.GetElapsedTime(at);
    }

    private void TakeUp(DateTime notBefore)
    {
        var now = _engine.Time.GetUtcNow().UtcDateTime;
        _takenUp = (now > notBefore ? now : notBefore, _engine.Time.GetTimestamp());
    }

    private void Open(IEnumerable<HistoryEvent> requests)
    {
        lock (_gate)
        {
            foreach (var request in requests)
            {
                if (request is TaskScheduledEvent or TimerCreatedEvent or SubOrchestrationInstanceCreatedEvent)
                    _open.Add(request.EventId, request);
            }
        }
    }

    private void ForgetOpen()
    {
        lock (_gate)
        {
            _open.Clear();
            foreach (var timer in _timers.Values)
                timer.Dispose();
            _timers.Clear();
        }
    }

    private void Dispatch(IReadOnlyList<HistoryEvent> requests)
    {
        if (Record.IsFinished)
            requests = [.. requests.OfType<EventSentEvent>()];
        foreach (var request in requests)
        {
            switch (request)
            {
                case TaskScheduledEvent activity:
                    _engine.RunActivity(this, activity);
                    break;
                case TimerCreatedEvent timer:
                    StartTimer(timer.EventId, timer.FireAt);
                    break;
                case SubOrchestrationInstanceCreatedEvent child:
                    _engine.RunSubOrchestration(this, _execution!.Start.OrchestrationInstance, child);
                    break;
                case EventSentEvent e:
                    _engine.FindLive(e.InstanceId)?.Post(new EventRaisedEvent(-1, e.Input) { Name = e.Name });
                    break;
            }
        }
    }

    private void StartTimer(int taskId, DateTime fireAt)
    {
        var due = fireAt - Now();
        var timer = _engine.Time.CreateTimer(
            _ => Fire(taskId, fireAt), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lock (_gate)
            _timers[taskId] = timer;
        timer.Change(due > TimeSpan.Zero ? due : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void Fire(int taskId, DateTime fireAt)
    {
        lock (_gate)
        {
            if (!_timers.TryGetValue(taskId, out var timer))
                return;
            try
            {
                Post(new TimerFiredEvent(-1, fireAt) { TimerId = taskId });
            }
            catch (OutOfMemoryException)
            {
                timer.Change(RetryDelay, Timeout.InfiniteTimeSpan);
                return;
            }

            _timers.Remove(taskId);
            timer.Dispose();
        }
    }

    private void Finish()
    {
        if (_finished.Task.IsCompleted)
            return;
        _engine.Unload(this);
        _cancellation.Cancel();
        _cancellation.Dispose();
        ForgetOpen();
        if (_execution?.Start.ParentInstance is { } parent)
            _engine.TellParent(parent, Record);
        _finished.TrySetResult();
    }

    /// <summary>Takes a turn although nothing has happened: the orchestrator has ended outside of one.</summary>
    private void Check() => Post(new Message(null, null, IsCheck: true));

    private ExecutionStartedEvent NewStart(string? input, ParentInstance? parent) => new(-1, input)
    {
        Name = Record.Name,
        OrchestrationInstance = new OrchestrationInstance
        {
            InstanceId = Record.InstanceId,
            ExecutionId = Guid.NewGuid().ToString("N"),
        },
        ParentInstance = parent,
    };

    /// <summary>The number of the request that an event answers; null when it answers none.</summary>
    private static int? AnsweredBy(HistoryEvent happened) => happened switch
    {
        TaskCompletedEvent e => e.TaskScheduledId,
        TaskFailedEvent e => e.TaskScheduledId,
        SubOrchestrationInstanceCompletedEvent e => e.TaskScheduledId,
        SubOrchestrationInstanceFailedEvent e => e.TaskScheduledId,
        TimerFiredEvent e => e.TimerId,
        _ => null,
    };

    /// <param name="Happened">What happened; null to take an orchestration up again, or to have it looked at.</param>
    /// <param name="Taken">Completed when the journal has it.</param>
    /// <param name="IsCheck">Whether the orchestrator is to be looked at although nothing has happened.</param>
    private sealed record Message(HistoryEvent? Happened, TaskCompletionSource? Taken, bool IsCheck = false);
}
