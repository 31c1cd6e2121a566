using System.Collections.Concurrent;
using System.Text.Json;
using BasiqFunctions.LocalHost.Functions;
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
    private readonly ILogger _logger = loggerFactory.CreateLogger<OrchestrationEngine>();
    private readonly ConcurrentDictionary<string, LiveOrchestration> _instances = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, bool> _work = [];
    private readonly SemaphoreSlim _activitySlots = new(options.MaxConcurrentActivities);
    private readonly SemaphoreSlim _scheduling = new(1);
    private readonly CancellationTokenSource _stopping = new();

    public Journal Journal => journal;

    public TimeProvider Time => time;

    public ILoggerFactory LoggerFactory => loggerFactory;

    /// <summary>Cancelled when the host stops. What is not recorded by then happens again after the next start.</summary>
    public CancellationToken Stopping => _stopping.Token;

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
        while (!_work.IsEmpty && !cancellationToken.IsCancellationRequested)
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
    public async Task ScheduleAsync(
        string name, string instanceId, string? input, CancellationToken cancellation, ParentInstance? parent = null)
    {
        if (!functions.Orchestrators.TryGetValue(name, out var orchestrator))
            throw new InvalidOperationException($"No orchestrator is named '{name}'.");

        var now = time.GetUtcNow();
        var record = new InstanceRecord(instanceId, name, OrchestrationRuntimeStatus.Pending, now, now, input);
        var instance = LiveOrchestration.New(this, record, Bind(orchestrator), parent);

        // The purge of a finished instance must not run into the start of its successor.
        LiveOrchestration? running = null;
        await _scheduling.WaitAsync(cancellation);
        try
        {
            if (!_instances.TryAdd(instanceId, instance))
                running = _instances.GetValueOrDefault(instanceId);
        }
        finally
        {
            _scheduling.Release();
        }

        if (running is not null)
        {
            // Whoever is told that there is one must be able to find it.
            await running.Started.WaitAsync(cancellation);
            throw new OrchestrationAlreadyExistsException($"An orchestration with the id '{instanceId}' is already running.");
        }

        instance.Begin();
        await instance.Started;
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
                    Log.EngineFault(_logger, exception);
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
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
        var name = request.Name!;
        try
        {
            await _activitySlots.WaitAsync(instance.Cancellation);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        try
        {
            if (!functions.Activities.TryGetValue(name, out var activity))
                throw new InvalidOperationException($"No activity is named '{name}'.");

            // Not awaited: it is written before the activity's result, which is all that matters.
            _ = journal.NoteActivityRunAsync(instance.Record.InstanceId, request.EventId, time.GetUtcNow().UtcDateTime);

            // Durable Task puts the one input into an array.
            var result = await activity(services, request.Input![1..^1], instance.Cancellation);
            instance.Post(new TaskCompletedEvent(-1, request.EventId, JsonSerializer.Serialize(result)));
        }
        catch (OperationCanceledException) when (instance.Cancellation.IsCancellationRequested)
        {
            // The host stops or the orchestration was terminated: nobody waits for this result.
        }
#pragma warning disable CA1031 // Whatever an activity throws is its outcome, and the orchestrator's to handle.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.ActivityFailed(_logger, name, instance.Record.InstanceId, exception);
            instance.Post(new TaskFailedEvent(-1, request.EventId, exception.Message, null, new FailureDetails(exception)));
        }
        finally
        {
            _activitySlots.Release();
        }
    }

    private async Task RunSubOrchestrationAsync(
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
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            // It is started, or asked about, after the next start.
        }
        catch (Exception exception) when (exception is InvalidOperationException or OrchestrationAlreadyExistsException)
        {
            parent.Post(new SubOrchestrationInstanceFailedEvent(-1, request.EventId, exception.Message, null, new FailureDetails(exception)));
        }
    }

    private Func<TaskOrchestrationContext, Task<object?>> Bind(OrchestratorFunction orchestrator) =>
        context => orchestrator(services, context);
}
