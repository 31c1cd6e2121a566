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
