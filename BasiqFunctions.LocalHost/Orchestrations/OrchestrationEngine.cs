using System.Collections.Concurrent;
using System.Text.Json;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Records;
using DurableTask.Core;
using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>Runs the app's orchestrations and activities, and takes up after a restart what the last process left.</summary>
internal sealed class OrchestrationEngine(
    Journal journal, FunctionCatalog functions, IServiceProvider services, TimeProvider time, ILoggerFactory loggerFactory,
    LocalHostOptions options) : IHostedService, IDisposable
{
    private const long MemoryOfAnActivity = 32 << 20;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = loggerFactory.CreateLogger<OrchestrationEngine>();
    private readonly ConcurrentDictionary<string, LiveOrchestration> _instances = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, bool> _work = [];
    private readonly SemaphoreSlim _activitySlots = new(MostActivities(options.MaxConcurrentActivities));
    private readonly LogPace _journalTrouble = new(time);
    private readonly LogPace _faults = new(time);
    private readonly SemaphoreSlim _scheduling = new(1);
    private readonly CancellationTokenSource _stopping = new();

    public Journal Journal => journal;

    public TimeProvider Time => time;

    public ILoggerFactory LoggerFactory => loggerFactory;

    /// <summary>Cancelled when the host stops. What is not recorded by then happens again after the next start.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Whether nothing is under way: whatever has not ended waits for a timer or an event.</summary>
    public bool IsAtRest => _work.IsEmpty;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        OrchestrationRuntimeStatus[] unfinished =
            [OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Suspended];
        string? after = null;
        while (true)
        {
            var records = await journal.ListAsync(null, null, null, unfinished, after, 500, cancellationToken);
            foreach (var record in records)
            {
                if (!functions.Orchestrators.TryGetValue(record.Name, out var orchestrator))
                {
                    Log.OrchestratorMissing(_logger, record.Name, record.InstanceId);
                    continue;
                }

                _instances[record.InstanceId] = LiveOrchestration.Unfinished(this, record, Bind(orchestrator));
            }

            if (records.Count < 500)
                break;
            after = records[^1].InstanceId;
        }

        if (_instances.IsEmpty)
            return;
        Log.OrchestrationsResumed(_logger, _instances.Count);
        foreach (var instance in _instances.Values)
            instance.Begin();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        while (!IsAtRest && !cancellationToken.IsCancellationRequested)
        {
            try
            {
                await Task.WhenAll(_work.Keys).WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // Either a task that stopped as it was told to, or the host's patience is over: nothing recorded is lost.
            }
        }
    }

    public void Dispose()
    {
        foreach (var instance in _instances.Values)
            instance.Dispose();
        _activitySlots.Dispose();
        _scheduling.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Starts an orchestration. A finished one of the same id is replaced, as in Durable Functions.</summary>
    /// <param name="name">The orchestrator's name.</param>
    /// <param name="instanceId">The orchestration's id.</param>
    /// <param name="input">The input as JSON, if there is one.</param>
    /// <param name="cancellation">Ends the wait for one that has this id and is about to start.</param>
    /// <param name="parent">The orchestration that waits for its outcome, if one does.</param>
    /// <exception cref="OrchestrationAlreadyExistsException">An unfinished one has this id.</exception>
    /// <exception cref="InvalidOperationException">No orchestrator has this name.</exception>
    /// <exception cref="StoreUnavailableException">The journal cannot be written: it is not started.</exception>
    public async Task ScheduleAsync(
        string name, string instanceId, string? input, CancellationToken cancellation, ParentInstance? parent = null)
    {
        if (!functions.Orchestrators.TryGetValue(name, out var orchestrator))
            throw new InvalidOperationException($"No orchestrator is named '{name}'.");

        var now = time.GetUtcNow();
        var record = new InstanceRecord(instanceId, name, OrchestrationRuntimeStatus.Pending, now, now, input);
        var instance = LiveOrchestration.New(this, record, Bind(orchestrator), parent);

        while (await HolderOfPlaceAsync(instance, cancellation) is var holder && holder != instance)
        {
            // Whoever is told that there is one must be able to find it.
            await holder.Started.WaitAsync(cancellation);
            if (!holder.Record.IsFinished)
                throw new OrchestrationAlreadyExistsException($"An orchestration with the id '{instanceId}' is already running.");

            // It can be seen to have ended, and is about to make room.
            await holder.Finished.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        instance.Begin();
        await instance.Started;
    }

    /// <summary>Who is in memory under an orchestration's id: itself, unless another is.</summary>
    private async Task<LiveOrchestration> HolderOfPlaceAsync(LiveOrchestration instance, CancellationToken cancellation)
    {
        // The purge of a finished instance must not run into the start of its successor.
        await _scheduling.WaitAsync(cancellation);
        try
        {
            return _instances.GetOrAdd(instance.Record.InstanceId, instance);
        }
        finally
        {
            _scheduling.Release();
        }
    }

    /// <summary>The orchestrations that are in memory, since they have not ended.</summary>
    public IReadOnlyCollection<string> LiveInstanceIds => [.. _instances.Keys];

    public LiveOrchestration? FindLive(string instanceId) => _instances.GetValueOrDefault(instanceId);

    public async Task<InstanceRecord?> FindAsync(string instanceId, CancellationToken cancellation)
    {
        if (FindLive(instanceId) is { } live && live.Record.Status is not OrchestrationRuntimeStatus.Pending)
            return live.Record;
        return await journal.FindAsync(instanceId, cancellation);
    }

    /// <summary>Forgets finished orchestrations.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> PurgeAsync(IReadOnlyCollection<InstanceRecord> records, CancellationToken cancellation)
    {
        await _scheduling.WaitAsync(cancellation);
        try
        {
            string[] ids = [.. records.Where(r => r.IsFinished && FindLive(r.InstanceId) is null).Select(r => r.InstanceId)];
            await journal.ForgetAsync(ids);
            return ids.Length;
        }
        finally
        {
            _scheduling.Release();
        }
    }

    public void Unload(LiveOrchestration instance) => _instances.TryRemove(KeyValuePair.Create(instance.Record.InstanceId, instance));

    /// <summary>Keeps a piece of work in view until it ends, so that a stop can wait for it.</summary>
    public void Track(Task work)
    {
        _work[work] = true;
        work.ContinueWith(
            done =>
            {
                _work.TryRemove(done, out _);
                if (done.Exception is { } exception)
                    TellFault(exception);
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Logs what every unfinished orchestration meets while the journal is away.</summary>
    public void TellJournalTrouble(StoreUnavailableException trouble)
    {
        if (_journalTrouble.IsDue(out var times))
            Log.JournalUnavailable(_logger, trouble.Code, times);
    }

    /// <summary>Logs a fault of the engine's own.</summary>
    public void TellFault(Exception fault)
    {
        if (_faults.IsDue(out var times))
            Log.EngineFault(_logger, times, fault);
    }

    public void RunActivity(LiveOrchestration instance, TaskScheduledEvent request) =>
        Track(Task.Run(() => RunActivityAsync(instance, request)));

    /// <summary>Starts an orchestration that another one has asked for, or finds out what became of it.</summary>
    public void RunSubOrchestration(
        LiveOrchestration parent, OrchestrationInstance execution, SubOrchestrationInstanceCreatedEvent request) =>
        Track(Task.Run(() => RunSubOrchestrationAsync(parent, execution, request)));

    /// <summary>Tells an orchestration how one has ended that it has started.</summary>
    public void TellParent(ParentInstance parent, InstanceRecord child) =>
        FindLive(parent.OrchestrationInstance.InstanceId)?.ChildEnded(parent, child);

    private async Task RunActivityAsync(LiveOrchestration instance, TaskScheduledEvent request)
    {
        HistoryEvent? outcome = null;
        Exception? failure = null;
        try
        {
            outcome = await OutcomeOfAsync(instance, request);
        }
        catch (OperationCanceledException) when (instance.Cancellation.IsCancellationRequested)
        {
            // The host stops or the orchestration was terminated: nobody waits for this result.
            return;
        }
#pragma warning disable CA1031 // Whatever an activity throws is its outcome, and the orchestrator's to handle.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure = exception;
        }

        // An outcome that gets lost leaves the orchestration waiting for ever.
        while (true)
        {
            try
            {
                if (failure is not null)
                    outcome ??= new TaskFailedEvent(-1, request.EventId, failure.Message, null, new FailureDetails(failure));
                instance.Post(outcome!);
                if (failure is not null)
                    Log.ActivityFailed(_logger, request.Name!, instance.Record.InstanceId, failure);
                return;
            }
            catch (Exception exception) when (Shortage.IsBehind(exception))
            {
                Thread.Sleep(Shortage.Pause);
            }
        }
    }

    private async Task<TaskCompletedEvent> OutcomeOfAsync(LiveOrchestration instance, TaskScheduledEvent request)
    {
        await _activitySlots.WaitAsync(instance.Cancellation);
        try
        {
            if (!functions.Activities.TryGetValue(request.Name!, out var activity))
                throw new InvalidOperationException($"No activity is named '{request.Name}'.");

            // Not awaited: it is written before the activity's result, which is all that matters.
            _ = journal.NoteActivityRunAsync(instance.Record.InstanceId, request.EventId, time.GetUtcNow().UtcDateTime);

            // Durable Task puts the one input into an array.
            var result = await activity(services, request.Input![1..^1], instance.Cancellation);
            return new TaskCompletedEvent(-1, request.EventId, JsonSerializer.Serialize(result));
        }
        finally
        {
            _activitySlots.Release();
        }
    }

    /// <summary>Starts it, or finds out what became of it, as often as the journal takes: its parent waits.</summary>
    private async Task RunSubOrchestrationAsync(
        LiveOrchestration parent, OrchestrationInstance execution, SubOrchestrationInstanceCreatedEvent request)
    {
        while (true)
        {
            try
            {
                await StartSubOrchestrationAsync(parent, execution, request);
                return;
            }
            catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
            {
                // It is started, or asked about, after the next start.
                return;
            }
            catch (StoreUnavailableException exception)
            {
                TellJournalTrouble(exception);
            }
            catch (Exception exception) when (Shortage.IsBehind(exception))
            {
                Thread.Sleep(Shortage.Pause);
                continue;
            }

            await Task.Delay(RetryDelay, time, Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task StartSubOrchestrationAsync(
        LiveOrchestration parent, OrchestrationInstance execution, SubOrchestrationInstanceCreatedEvent request)
    {
        var link = new ParentInstance { Name = parent.Record.Name, OrchestrationInstance = execution, TaskScheduleId = request.EventId };
        try
        {
            // After a restart it may be there: it tells its parent when it ends, or has ended.
            var started = (await journal.FindStartAsync(request.InstanceId, Stopping))?.ParentInstance;
            if (started?.OrchestrationInstance.ExecutionId == execution.ExecutionId && started.TaskScheduleId == request.EventId)
            {
                if (await journal.FindAsync(request.InstanceId, Stopping) is { IsFinished: true } ended)
                    parent.ChildEnded(link, ended);
                return;
            }

            await ScheduleAsync(request.Name, request.InstanceId, request.Input, Stopping, link);
        }
        catch (Exception exception) when (exception is InvalidOperationException or OrchestrationAlreadyExistsException)
        {
            parent.Post(new SubOrchestrationInstanceFailedEvent(-1, request.EventId, exception.Message, null, new FailureDetails(exception)));
        }
    }

    /// <summary>As many as asked for, and fewer on a small heap: each holds pages of an answer.</summary>
    private static int MostActivities(int asked) =>
        (int)Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / MemoryOfAnActivity, 1, asked);

    private Func<TaskOrchestrationContext, Task<object?>> Bind(OrchestratorFunction orchestrator) =>
        context => orchestrator(services, context);
}
