using System.Text.Json;
using DurableTask.Core;
using Microsoft.DurableTask;

namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>
/// Stands between an orchestrator and Durable Task's own context, as the Functions worker's does: reads the input as the type that is
/// asked for, gives the host's loggers, keeps the custom status within what Azure takes, and lets nobody in from outside of a turn.
/// </summary>
/// <param name="inner">Durable Task's context.</param>
/// <param name="input">The input, when there is one.</param>
/// <param name="loggerFactory">The host's loggers; silent while the orchestrator is replayed.</param>
internal sealed class HostedOrchestrationContext(
    TaskOrchestrationContext inner, JsonElement? input, ILoggerFactory loggerFactory) : TaskOrchestrationContext
{
    /// <summary>The most that a custom status may hold, in bytes of UTF-16, as in Durable Functions.</summary>
    public const int MostCustomStatusBytes = 16 * 1024;

    public override TaskName Name => inner.Name;

    public override string InstanceId => inner.InstanceId;

    public override ParentOrchestrationInstance? Parent => inner.Parent;

    public override DateTime CurrentUtcDateTime => inner.CurrentUtcDateTime;

    public override bool IsReplaying => inner.IsReplaying;

    protected override ILoggerFactory LoggerFactory => loggerFactory;

    private TaskOrchestrationContext Inner
    {
        get
        {
            ThrowIfOutside();
            return inner;
        }
    }

    public override T? GetInput<T>()
        where T : default => input is { } json ? json.Deserialize<T>() : default;

    public override Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null) =>
        Inner.CallActivityAsync<TResult>(name, input, options);

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(
        TaskName orchestratorName, object? input = null, TaskOptions? options = null) =>
        Inner.CallSubOrchestratorAsync<TResult>(orchestratorName, input, options);

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken) =>
        Inner.CreateTimer(fireAt, cancellationToken);

    public override Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default) =>
        Inner.WaitForExternalEvent<T>(eventName, cancellationToken);

    public override void SendEvent(string instanceId, string eventName, object payload) =>
        Inner.SendEvent(instanceId, eventName, payload);

    public override void SetCustomStatus(object? customStatus)
    {
        var bytes = JsonSerializer.Serialize(customStatus).Length * sizeof(char);
        if (bytes > MostCustomStatusBytes)
        {
            throw new ArgumentException(
                $"The custom status has {bytes} bytes as UTF-16; the most is {MostCustomStatusBytes}.", nameof(customStatus));
        }

        Inner.SetCustomStatus(customStatus);
    }

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) =>
        Inner.ContinueAsNew(newInput, preserveUnprocessedEvents);

    public override Guid NewGuid() => Inner.NewGuid();

    /// <exception cref="InvalidOperationException">The code that runs came back from a task that this context did not give.</exception>
    public void ThrowIfOutside()
    {
        if (!OrchestrationContext.IsOrchestratorThread)
        {
            throw new InvalidOperationException(
                $"Orchestrator '{Name.Name}' of instance '{InstanceId}' awaited a task that its context did not give. "
                + "Such work belongs in an activity.");
        }
    }
}
