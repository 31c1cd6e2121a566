using System.Globalization;
using System.Text.Json;
using DurableTask.Core.History;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>The client that HTTP functions get for their <c>[DurableClient]</c> parameter.</summary>
internal sealed class LocalDurableTaskClient(OrchestrationEngine engine, Journal journal, TimeProvider time) : DurableTaskClient("LocalHost")
{
    private static readonly OrchestrationRuntimeStatus[] FinishedStatuses =
        [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated];

    public override async Task<string> ScheduleNewOrchestrationInstanceAsync(
        TaskName orchestratorName, object? input = null, StartOrchestrationOptions? options = null,
        CancellationToken cancellation = default)
    {
        if (options?.StartAt is not null)
            throw new NotSupportedException("LocalHost starts orchestrations at once: no function of this app sets StartAt.");

        var instanceId = options?.InstanceId ?? Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
        await engine.ScheduleAsync(orchestratorName.Name, instanceId, Serialize(input), cancellation);
        return instanceId;
    }

    /// <summary>Delivers an event.</summary>
    /// <exception cref="InvalidOperationException">The orchestration has ended or never was.</exception>
    public override Task RaiseEventAsync(
        string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default) =>
        Live(instanceId).PostAsync(new EventRaisedEvent(-1, Serialize(eventPayload)) { Name = eventName }).WaitAsync(cancellation);

    public override async Task<OrchestrationMetadata> WaitForInstanceStartAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        await GetInstancesAsync(instanceId, getInputsAndOutputs, cancellation)
        ?? throw new InvalidOperationException($"No orchestration has the id '{instanceId}'.");

    public override async Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default)
    {
        if (engine.FindLive(instanceId) is { } live)
            await live.Finished.WaitAsync(cancellation);
        return await WaitForInstanceStartAsync(instanceId, getInputsAndOutputs, cancellation);
    }

    public override Task TerminateInstanceAsync(
        string instanceId, TerminateInstanceOptions? options = null, CancellationToken cancellation = default) =>
        Live(instanceId).TerminateAsync(Serialize(options?.Output), options?.Recursive ?? false).WaitAsync(cancellation);

    public override Task SuspendInstanceAsync(
        string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        Live(instanceId, isSuspended: false).PostAsync(new ExecutionSuspendedEvent(-1, reason)).WaitAsync(cancellation);

    public override Task ResumeInstanceAsync(
        string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        Live(instanceId, isSuspended: true).PostAsync(new ExecutionResumedEvent(-1, reason)).WaitAsync(cancellation);

    public override async Task<OrchestrationMetadata?> GetInstancesAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        (await engine.FindAsync(instanceId, cancellation))?.ToMetadata(getInputsAndOutputs);

    public override AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null) =>
        new InstancePages(journal, filter ?? new OrchestrationQuery());

    public override async Task<PurgeResult> PurgeInstanceAsync(
        string instanceId, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        var record = await journal.FindAsync(instanceId, cancellation);
        return new PurgeResult(record is null ? 0 : await engine.PurgeAsync([record], cancellation));
    }

    /// <summary>Forgets what has ended, a page at a time, until none is left or the filter's time is over.</summary>
    public override async Task<PurgeResult> PurgeAllInstancesAsync(
        PurgeInstancesFilter filter, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        var statuses = FinishedStatuses.Intersect(filter.Statuses ?? FinishedStatuses).ToArray();
        var (purged, startedAt) = (0, time.GetTimestamp());
        string? after = null;
        while (true)
        {
            if (time.GetElapsedTime(startedAt) > filter.Timeout)
                return new PurgeResult(purged, isComplete: false);
            var records = await journal.ListAsync(
                null, filter.CreatedFrom, filter.CreatedTo, statuses, after, OrchestrationQuery.DefaultPageSize, cancellation);
            if (records.Count == 0)
                return new PurgeResult(purged, isComplete: true);
            purged += await engine.PurgeAsync(records, cancellation);
            after = records[^1].InstanceId;
        }
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>
    /// An orchestration that can still be told something. The Functions host refuses, on Azure Storage, what comes too late or makes no
    /// sense, with exceptions of its own; Durable Task's documentation lets it be discarded in silence. Callers have to live with both.
    /// </summary>
    private LiveOrchestration Live(string instanceId, bool? isSuspended = null)
    {
        var live = engine.FindLive(instanceId)
            ?? throw new InvalidOperationException($"No orchestration with the id '{instanceId}' is running.");
        if (isSuspended is { } expected && expected != live.Record.Status is OrchestrationRuntimeStatus.Suspended)
            throw new InvalidOperationException($"The orchestration with the id '{instanceId}' is {live.Record.Status}.");
        return live;
    }

    private static string? Serialize(object? value) => value is null ? null : JsonSerializer.Serialize(value);

    private sealed class InstancePages(Journal journal, OrchestrationQuery query) : AsyncPageable<OrchestrationMetadata>
    {
        public override async IAsyncEnumerable<Page<OrchestrationMetadata>> AsPages(
            string? continuationToken = null, int? pageSizeHint = null)
        {
            var after = continuationToken ?? query.ContinuationToken;
            var size = pageSizeHint ?? query.PageSize;
            while (true)
            {
                var records = await journal.ListAsync(
                    query.InstanceIdPrefix, query.CreatedFrom, query.CreatedTo, query.Statuses?.ToArray(), after, size,
                    CancellationToken.None);
                after = records.Count < size ? null : records[^1].InstanceId;
                yield return new Page<OrchestrationMetadata>(
                    [.. records.Select(r => r.ToMetadata(query.FetchInputsAndOutputs))], after);
                if (after is null)
                    yield break;
            }
        }
    }
}
