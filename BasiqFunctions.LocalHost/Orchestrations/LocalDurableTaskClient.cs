using System.Globalization;
using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>The client that HTTP functions get for their <c>[DurableClient]</c> parameter.</summary>
internal sealed class LocalDurableTaskClient(OrchestrationEngine engine, Journal journal) : DurableTaskClient("LocalHost")
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
    /// <exception cref="InvalidOperationException">
    /// The orchestration has ended or never was. Durable Functions on Azure Storage refuse that as well, with an exception of their own.
    /// </exception>
    public override async Task RaiseEventAsync(
        string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default)
    {
        var live = engine.FindLive(instanceId)
            ?? throw new InvalidOperationException($"No orchestration with the id '{instanceId}' is running.");
        await live.RaiseEventAsync(eventName, Serialize(eventPayload)).WaitAsync(cancellation);
    }

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

    public override async Task TerminateInstanceAsync(
        string instanceId, TerminateInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        if (engine.FindLive(instanceId) is { } live)
            await live.TerminateAsync(Serialize(options?.Output)).WaitAsync(cancellation);
    }

    public override Task SuspendInstanceAsync(
        string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        throw new NotSupportedException("LocalHost does not suspend orchestrations: no function of this app does.");

    public override Task ResumeInstanceAsync(
        string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        throw new NotSupportedException("LocalHost does not suspend orchestrations: no function of this app does.");

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

    public override async Task<PurgeResult> PurgeAllInstancesAsync(
        PurgeInstancesFilter filter, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        var statuses = FinishedStatuses.Intersect(filter.Statuses ?? FinishedStatuses).ToArray();
        var purged = 0;
        string? after = null;
        while (true)
        {
            var records = await journal.ListAsync(
                null, filter.CreatedFrom, filter.CreatedTo, statuses, after, OrchestrationQuery.DefaultPageSize, cancellation);
            if (records.Count == 0)
                return new PurgeResult(purged);
            purged += await engine.PurgeAsync(records, cancellation);
            after = records[^1].InstanceId;
        }
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

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
