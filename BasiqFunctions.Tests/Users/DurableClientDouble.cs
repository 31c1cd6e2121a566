using System.Collections.Concurrent;
using System.Text.Json;
using BasiqFunctions.Sync;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Moq;

namespace BasiqFunctions.Tests.Users;

/// <summary>A durable client that remembers syncs and events and runs none, and has everything else run by LocalHost's engine.</summary>
internal sealed class DurableClientDouble
{
    private readonly ConcurrentDictionary<string, OrchestrationMetadata> _instances = new(StringComparer.Ordinal);
    private readonly TimeProvider _clock;
    private readonly Func<Task<DurableTaskClient>> _engine;

    public DurableClientDouble(TimeProvider clock, Func<Task<DurableTaskClient>> engine)
    {
        (_clock, _engine) = (clock, engine);
        var client = new Mock<DurableTaskClient>(MockBehavior.Strict, "test");
        client
            .Setup(c => c.ScheduleNewOrchestrationInstanceAsync(
                It.IsAny<TaskName>(), It.IsAny<object?>(), It.IsAny<StartOrchestrationOptions?>(), It.IsAny<CancellationToken>()))
            .Returns(async (TaskName name, object? input, StartOrchestrationOptions? options, CancellationToken cancellation) =>
            {
                if (IsRun(options!.InstanceId!))
                    return await (await _engine()).ScheduleNewOrchestrationInstanceAsync(name, input, options, cancellation);
                await BeforeSchedule(options.InstanceId!);
                lock (Scheduled)
                    Scheduled.Add(options.InstanceId!);
                Set(options.InstanceId!, OrchestrationRuntimeStatus.Running, JsonSerializer.Serialize(input), name.Name);
                return options.InstanceId!;
            });
        client
            .Setup(c => c.GetInstanceAsync(It.IsAny<string>(), It.IsAny<bool>(), It.IsAny<CancellationToken>()))
            .Returns(async (string id, bool withInputs, CancellationToken cancellation) =>
                IsRun(id) ? await (await _engine()).GetInstanceAsync(id, withInputs, cancellation) : _instances.GetValueOrDefault(id));
        client.Setup(c => c.GetInstanceAsync(It.IsAny<string>(), It.IsAny<CancellationToken>())).CallBase();
        client
            .Setup(c => c.GetAllInstancesAsync(It.IsAny<OrchestrationQuery?>()))
            .Returns((OrchestrationQuery? query) => new OnePage<OrchestrationMetadata>(
            [
                .. _instances.Values.Where(i =>
                    i.InstanceId.StartsWith(query?.InstanceIdPrefix ?? "", StringComparison.Ordinal)
                    && (query?.Statuses is not { } statuses || statuses.Contains(i.RuntimeStatus))),
            ]));
        client
            .Setup(c => c.RaiseEventAsync(
                It.IsAny<string>(), It.IsAny<string>(), It.IsAny<object?>(), It.IsAny<CancellationToken>()))
            .Returns((string id, string _, object? _, CancellationToken _) =>
            {
                BeforeEvent(id);
                Events.Add(id);
                Set(id, OrchestrationRuntimeStatus.Completed);
                return AfterEvent(id);
            });
        client
            .Setup(c => c.PurgeInstanceAsync(
                It.IsAny<string>(), It.IsAny<PurgeInstanceOptions?>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((string id, PurgeInstanceOptions? _, CancellationToken _) =>
                new PurgeResult(_instances.TryRemove(id, out _) ? 1 : 0));
        Client = client.Object;
    }

    public DurableTaskClient Client { get; }

    /// <summary>What happens before an instance is scheduled.</summary>
    public Func<string, Task> BeforeSchedule { get; set; } = _ => Task.CompletedTask;

    /// <summary>What happens once an event has ended an instance.</summary>
    public Func<string, Task> AfterEvent { get; set; } = _ => Task.CompletedTask;

    /// <summary>What happens before an event reaches an instance; it may throw, as hosts do for one that has ended.</summary>
    public Action<string> BeforeEvent { get; set; } = _ => { };

    public List<string> Scheduled { get; } = [];

    public List<string> Events { get; } = [];

    public IReadOnlyCollection<string> Instances => [.. _instances.Keys];

    public void Set(string id, OrchestrationRuntimeStatus status, string? input = null, string name = "SyncConnections", DateTimeOffset? createdAt = null) =>
        _instances[id] = new OrchestrationMetadata(name, id)
        {
            RuntimeStatus = status,
            CreatedAt = createdAt ?? _clock.GetUtcNow(),
            LastUpdatedAt = _clock.GetUtcNow(),
            SerializedInput = input ?? _instances.GetValueOrDefault(id)?.SerializedInput,
        };

    /// <summary>Has a sync that runs show how far it is.</summary>
    public void Show(string syncId, SyncProgress progress, OrchestrationRuntimeStatus status = OrchestrationRuntimeStatus.Running) =>
        _instances[syncId] = new OrchestrationMetadata("SyncConnections", syncId)
        {
            RuntimeStatus = status,
            CreatedAt = _clock.GetUtcNow(),
            LastUpdatedAt = _clock.GetUtcNow(),
            SerializedCustomStatus = JsonSerializer.Serialize(progress),
        };

    private static bool IsRun(string instanceId) =>
        instanceId.StartsWith("remove-", StringComparison.Ordinal) || instanceId.StartsWith("due-", StringComparison.Ordinal);

    private sealed class OnePage<T>(IReadOnlyList<T> values) : AsyncPageable<T>
        where T : notnull
    {
        public override async IAsyncEnumerable<Page<T>> AsPages(string? continuationToken = null, int? pageSizeHint = null)
        {
            await Task.CompletedTask;
            yield return new Page<T>(values);
        }
    }
}
