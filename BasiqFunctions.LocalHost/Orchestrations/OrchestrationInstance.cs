using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>
/// One unfinished orchestration in memory. Whatever happens to it is queued and taken one turn at a time: deliver, write the
/// turn to the journal, and only then act on what the orchestrator asked for.
/// </summary>
internal sealed class OrchestrationInstance : IDisposable
{
    /// <summary>SQLITE_CONSTRAINT: what no waiting heals.</summary>
    private const int ConstraintViolated = 19;

    private static readonly TimeSpan JournalRetryDelay = TimeSpan.FromSeconds(1);

    private readonly OrchestrationEngine _engine;
    private readonly Func<TaskOrchestrationContext, Task<object?>> _orchestrator;
    private readonly ILogger _logger;
    private readonly Dictionary<int, ITimer> _timers = [];
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _cancellation;
    private readonly Lock _gate = new();
    private LocalOrchestrationContext _context;
    private List<Message> _mailbox = [];
    private bool _isTakingTurns;
    private InstanceRecord _record;
    private DateTime _lastEventAt;
    private int _sequence;

    public OrchestrationInstance(
        OrchestrationEngine engine, InstanceRecord record, Func<TaskOrchestrationContext, Task<object?>> orchestrator)
    {
        _engine = engine;
        _orchestrator = orchestrator;
        _record = record;
        _logger = engine.LoggerFactory.CreateLogger<OrchestrationInstance>();
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(engine.Stopping);
        _context = NewContext();
    }

    private enum MessageKind
    {
        Start,
        Resume,
        Happened,
        Terminate,
        Check,
    }

    /// <summary>The orchestration's row as last written.</summary>
    public InstanceRecord Record => Volatile.Read(ref _record);

    /// <summary>Ends when the journal has the orchestration's start.</summary>
    public Task Started => _started.Task;

    /// <summary>Ends when the orchestration has ended and its journal says so.</summary>
    public Task Finished => _finished.Task;

    /// <summary>Cancelled when the orchestration is terminated or the host stops.</summary>
    public CancellationToken Cancellation => _cancellation.Token;

    /// <summary>Begins a new orchestration; the task completes when the journal has it.</summary>
    public Task StartAsync() => PostAsync(new Message(MessageKind.Start));

    /// <summary>Takes an orchestration up again after a restart of the host.</summary>
    public void Resume() => Post(new Message(MessageKind.Resume));

    public Task RaiseEventAsync(string name, string? payload) =>
        PostAsync(new Message(MessageKind.Happened, JournalEventKind.EventRaised, Name: name, Payload: payload));

    public Task TerminateAsync(string? output) =>
        PostAsync(new Message(MessageKind.Terminate, Payload: output));

    public void ActivityCompleted(int taskId, string? result) =>
        Post(new Message(MessageKind.Happened, JournalEventKind.ActivityCompleted, taskId, Payload: result));

    public void ActivityFailed(int taskId, string failure) =>
        Post(new Message(MessageKind.Happened, JournalEventKind.ActivityFailed, taskId, Payload: failure));

    public void Dispose()
    {
        foreach (var timer in _timers.Values)
            timer.Dispose();
        _cancellation.Dispose();
    }

    private Task PostAsync(Message message)
    {
        message.Taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(message);
        return message.Taken.Task;
    }

    private void Post(Message message)
    {
        lock (_gate)
        {
            _mailbox.Add(message);
            if (_isTakingTurns)
                return;
            _isTakingTurns = true;
        }

        _engine.Track(Task.Run(TakeTurnsAsync));
    }

    private async Task TakeTurnsAsync()
    {
        while (true)
        {
            List<Message> messages;
            lock (_gate)
            {
                if (_mailbox.Count == 0 || _engine.Stopping.IsCancellationRequested)
                {
                    _isTakingTurns = false;
                    Drop(_mailbox);
                    _mailbox = [];
                    return;
                }

                (messages, _mailbox) = (_mailbox, []);
            }

            try
            {
                await TakeTurnAsync(messages);
            }
            catch (OperationCanceledException) when (_engine.Stopping.IsCancellationRequested)
            {
                Drop(messages);
            }
        }
    }

    /// <summary>Lets go of what was not recorded: it happens again after the next start.</summary>
    private void Drop(List<Message> messages)
    {
        foreach (var message in messages)
            message.Taken?.TrySetCanceled(_engine.Stopping);
    }

    private async Task TakeTurnAsync(List<Message> messages)
    {
        if (messages.Exists(m => m.Kind is MessageKind.Resume))
            await ReplayAsync();

        List<JournalEvent> events = [];
        List<JournalEvent> requests = [];
        var record = Record;
        foreach (var message in messages)
        {
            if (record.IsFinished)
                break;
            record = Take(message, record, events, requests);
        }

        if (events.Count > 0)
        {
            record = record with { UpdatedAt = _lastEventAt, CustomStatus = _context.CustomStatus };
            await WriteAsync(record, events);
        }

        _started.TrySetResult();
        if (Record.IsFinished)
            Finish();
        else
            Dispatch(requests);

        foreach (var message in messages)
            message.Taken?.TrySetResult();
    }

    private InstanceRecord Take(
        Message message, InstanceRecord record, List<JournalEvent> events, List<JournalEvent> requests)
    {
        try
        {
            switch (message.Kind)
            {
                case MessageKind.Start:
                    Deliver(new JournalEvent(JournalEventKind.Started, Now(), null, record.Name, record.Input));
                    record = record with { Status = OrchestrationRuntimeStatus.Running };
                    break;
                case MessageKind.Happened when message.TaskId is { } taskId && !_context.IsPending(taskId):
                    // A timer that the orchestrator has given up.
                    break;
                case MessageKind.Happened:
                    Deliver(new JournalEvent(message.Event, Now(), message.TaskId, message.Name, message.Payload));
                    break;
                case MessageKind.Terminate:
                    events.Add(new JournalEvent(JournalEventKind.Terminated, Now(), Payload: message.Payload));
                    return record with { Status = OrchestrationRuntimeStatus.Terminated, Output = message.Payload };
                case MessageKind.Check:
                    _context.ThrowIfResumedFromOutside();
                    break;
            }
        }
        catch (NonDeterministicOrchestrationException exception)
        {
            return Fail(exception, record, events);
        }

        return _context.Ended switch
        {
            null => record,
            { IsCompletedSuccessfully: true } ended => Complete(ended.Result, record, events),
            { } ended => Fail(ended.Exception?.InnerException ?? new OperationCanceledException(), record, events),
        };

        void Deliver(JournalEvent happened)
        {
            events.Add(happened);
            var asked = _context.Deliver(happened, _orchestrator);
            events.AddRange(asked);
            requests.AddRange(asked);
        }
    }

    private InstanceRecord Complete(object? result, InstanceRecord record, List<JournalEvent> events)
    {
        string output;
        try
        {
            output = JsonSerializer.Serialize(result);
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException)
        {
            return Fail(exception, record, events);
        }

        events.Add(new JournalEvent(JournalEventKind.Completed, Now(), Payload: output));
        return record with { Status = OrchestrationRuntimeStatus.Completed, Output = output };
    }

    private InstanceRecord Fail(Exception exception, InstanceRecord record, List<JournalEvent> events)
    {
        Log.OrchestrationFailed(_logger, record.Name, record.InstanceId, exception);
        var failure = RecordedFailure.Serialize(exception);
        events.Add(new JournalEvent(JournalEventKind.Failed, Now(), Payload: failure));
        return record with { Status = OrchestrationRuntimeStatus.Failed, Failure = failure };
    }

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
            catch (SqliteException exception)
            {
                Log.JournalNotReadable(_logger, Record.InstanceId, exception);
                await Task.Delay(JournalRetryDelay, _engine.Time, _engine.Stopping);
                (_context, _sequence) = (NewContext(), 0);
            }
        }
    }

    private async Task ReplayOnceAsync()
    {
        try
        {
            await _context.ReplayAsync(CountAsync(), _orchestrator);
        }
        catch (NonDeterministicOrchestrationException exception)
        {
            // The replay stopped in the middle; the failure goes behind all that there is.
            _sequence = await _engine.Journal.CountEventsAsync(Record.InstanceId, _engine.Stopping);
            List<JournalEvent> events = [];
            await WriteAsync(Fail(exception, Record, events), events);
            return;
        }

        Dispatch([.. _context.PendingRequests]);

        async IAsyncEnumerable<JournalEvent> CountAsync()
        {
            await foreach (var recorded in _engine.Journal.ReadHistoryAsync(Record.InstanceId, _engine.Stopping))
            {
                _sequence++;
                _lastEventAt = recorded.At;
                yield return recorded;
            }
        }
    }

    private LocalOrchestrationContext NewContext() => new(
        _record.Name, _record.InstanceId, _record.Input, _engine.LoggerFactory, () => Post(new Message(MessageKind.Check)));

    /// <summary>
    /// Writes a turn, as often as it takes: the orchestrator has moved on, so a turn that is not on disk must get there before
    /// anything else happens.
    /// </summary>
    private async Task WriteAsync(InstanceRecord record, List<JournalEvent> events)
    {
        while (true)
        {
            try
            {
                await _engine.Journal.WriteTurnAsync(record, _sequence, events);
                break;
            }
            catch (SqliteException exception) when (exception.SqliteErrorCode != ConstraintViolated)
            {
                Log.JournalNotWritable(_logger, record.InstanceId, exception);
                await Task.Delay(JournalRetryDelay, _engine.Time, _engine.Stopping);
            }
        }

        _sequence += events.Count;
        Volatile.Write(ref _record, record);
    }

    private void Dispatch(List<JournalEvent> requests)
    {
        foreach (var request in requests)
        {
            // A timer that was given up in the turn that made it needs no clock.
            if (!_context.IsPending(request.TaskId!.Value))
                continue;
            if (request.Kind is JournalEventKind.ActivityScheduled)
                _engine.RunActivity(this, request);
            else
                StartTimer(request.TaskId.Value, request.ReadFireAt());
        }
    }

    private void StartTimer(int taskId, DateTime fireAt)
    {
        var due = fireAt - _engine.Time.GetUtcNow().UtcDateTime;
        var timer = _engine.Time.CreateTimer(
            _ => Fire(taskId, fireAt), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lock (_gate)
            _timers[taskId] = timer;
        timer.Change(due > TimeSpan.Zero ? due : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void Fire(int taskId, DateTime fireAt)
    {
        var early = fireAt - _engine.Time.GetUtcNow().UtcDateTime;
        lock (_gate)
        {
            if (!_timers.TryGetValue(taskId, out var timer))
                return;
            if (early > TimeSpan.FromMilliseconds(20))
            {
                // The clock was set back while the timer ran.
                timer.Change(early, Timeout.InfiniteTimeSpan);
                return;
            }

            _timers.Remove(taskId);
            timer.Dispose();
        }

        Post(new Message(MessageKind.Happened, JournalEventKind.TimerFired, taskId));
    }

    private void Finish()
    {
        _engine.Unload(this);
        _cancellation.Cancel();
        lock (_gate)
        {
            foreach (var timer in _timers.Values)
                timer.Dispose();
            _timers.Clear();
        }

        _finished.TrySetResult();
    }

    private DateTime Now()
    {
        var now = _engine.Time.GetUtcNow().UtcDateTime;
        return _lastEventAt = now > _lastEventAt ? now : _lastEventAt;
    }

    private sealed record Message(
        MessageKind Kind, JournalEventKind Event = default, int? TaskId = null, string? Name = null, string? Payload = null)
    {
        public TaskCompletionSource? Taken { get; set; }
    }
}
