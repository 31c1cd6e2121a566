using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Platform.Health;

/// <summary>Whether the task hub answers.</summary>
internal sealed class TaskHubHealth : IDependency
{
    public string Name => "task-hub";

    public async Task<(HealthStatus Status, string? Detail)> AskAsync(DurableTaskClient durable, CancellationToken cancellation)
    {
        await durable.GetInstanceAsync(HealthChecks.Probe, cancellation);
        return (HealthStatus.Healthy, null);
    }
}
