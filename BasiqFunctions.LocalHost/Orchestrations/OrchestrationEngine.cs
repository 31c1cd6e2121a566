using System.Collections.Concurrent;
using System.Text.Json;
using BasiqFunctions.LocalHost.Functions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>Runs the app's orchestrations and activities, and takes up after a restart what the last process left.</summary>
internal sealed class OrchestrationEngine(
    Journal journal, FunctionCatalog functions, IServiceProvider services, TimeProvider time, ILoggerFactory loggerFactory,
    LocalHostOptions options) : IHostedService, IDisposable
{
    private readonly ILogger _logger = loggerFactory.CreateLogger<OrchestrationEngine>();
    private readonly ConcurrentDictionary<string, OrchestrationInstance> _instances = new(StringComparer.Ordinal);
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
        OrchestrationRuntimeStatus[] unfinished = [OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending];
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

                var instance = new OrchestrationInstance(this, record, Bind(orchestrator));
                _instances[record.InstanceId] = instance;
                instance.Resume();
            }

            if (records.Count < 500)
                break;
            after = records[^1].InstanceId;
        }

        if (!_instances.IsEmpty)
            Log.OrchestrationsResumed(_logger, _instances.Count);
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
    /// <exception cref="InvalidOperationException">An unfinished one has this id, or no orchestrator has this name.</exception>
    public async Task ScheduleAsync(string name, string instanceId, string? input, CancellationToken cancellation)
    {
        if (!functions.Orchestrators.TryGetValue(name, out var orchestrator))
            throw new InvalidOperationException($"No orchestrator is named '{name}'.");

        var now = time.GetUtcNow();
        var record = new InstanceRecord(instanceId, name, OrchestrationRuntimeStatus.Pending, now, now, input);
        var instance = new OrchestrationInstance(this, record, Bind(orchestrator));

        // The purge of a finished instance must not run into the start of its successor.
        OrchestrationInstance? running = null;
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
            throw new InvalidOperationException($"An orchestration with the id '{instanceId}' is already running.");
        }

        await instance.StartAsync();
    }

    /// <summary>The orchestrations that are in memory, since they have not ended.</summary>
    public IReadOnlyCollection<string> LiveInstanceIds => [.. _instances.Keys];

    public OrchestrationInstance? FindLive(string instanceId) => _instances.GetValueOrDefault(instanceId);

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

    public void Unload(OrchestrationInstance instance) => _instances.TryRemove(KeyValuePair.Create(instance.Record.InstanceId, instance));

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

    public void RunActivity(OrchestrationInstance instance, JournalEvent request) =>
        Track(Task.Run(() => RunActivityAsync(instance, request)));

    private async Task RunActivityAsync(OrchestrationInstance instance, JournalEvent request)
    {
        var name = request.Name!;
        var taskId = request.TaskId!.Value;
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
            _ = journal.NoteActivityRunAsync(instance.Record.InstanceId, taskId, time.GetUtcNow().UtcDateTime);
            var result = await activity(services, request.Payload, instance.Cancellation);
            instance.ActivityCompleted(taskId, JsonSerializer.Serialize(result));
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
            instance.ActivityFailed(taskId, RecordedFailure.Serialize(exception));
        }
        finally
        {
            _activitySlots.Release();
        }
    }

    private Func<TaskOrchestrationContext, Task<object?>> Bind(OrchestratorFunction orchestrator) =>
        context => orchestrator(services, context);
}
