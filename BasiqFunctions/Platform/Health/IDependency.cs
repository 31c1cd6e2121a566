using BasiqFunctions.Platform.Records;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Platform.Health;

/// <summary>Something that requests need, and that can be asked how it does.</summary>
public interface IDependency
{
    /// <summary>What health calls it.</summary>
    string Name { get; }

    /// <summary>The dependency that does for this one: while that is healthy, the app works without this one.</summary>
    string? StandIn => null;

    /// <summary>How it does, and why; an exception is a bad answer.</summary>
    /// <param name="durable">The durable client of the calling function.</param>
    /// <param name="cancellation">Ends the wait.</param>
    Task<(HealthStatus Status, string? Detail)> AskAsync(DurableTaskClient durable, CancellationToken cancellation);
}

/// <summary>Whether every table can be written.</summary>
internal sealed class RecordHealth(RecordTableList tables) : IDependency
{
    public string Name => "records";

    public async Task<(HealthStatus Status, string? Detail)> AskAsync(DurableTaskClient durable, CancellationToken cancellation)
    {
        await Task.WhenAll(tables.All.Select(table => table.Table.PutAsync(new TableRecord(HealthChecks.Probe, HealthChecks.Probe, []), cancellation)));
        return (HealthStatus.Healthy, null);
    }
}

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
