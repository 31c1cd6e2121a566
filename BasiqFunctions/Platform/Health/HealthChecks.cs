using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Health;

/// <summary>
/// Asks everything that requests need how it does. Anybody may call Health, so however many do, each dependency is asked once in some
/// seconds, and none is waited for longer than two.
/// </summary>
public sealed class HealthChecks(IEnumerable<IDependency> dependencies, Uptime uptime, TimeProvider clock, ILogger<HealthChecks> logger)
{
    /// <summary>The name of what is written to see whether writing works; of the task hub it is asked alone.</summary>
    internal const string Probe = "health";

    private readonly (IDependency Dependency, DependencyCheck Check)[] _checks =
        [.. dependencies.Select(dependency => (dependency, new DependencyCheck(dependency, uptime, clock, logger)))];

    /// <summary>How everything does, each at most some seconds ago.</summary>
    /// <param name="durable">The durable client of the calling function.</param>
    /// <param name="cancellation">Ends the wait; others wait for the same answers.</param>
    public async Task<HealthReport> ReportAsync(DurableTaskClient durable, CancellationToken cancellation)
    {
        var lines = await Task.WhenAll(_checks.Select(check => check.Check.AskAsync(durable))).WaitAsync(cancellation);
        var healthy = lines.Where(line => line.Status is HealthStatus.Healthy).Select(line => line.Name).ToHashSet(StringComparer.Ordinal);
        return HealthReport.Of(
        [
            .. lines.Zip(_checks, (line, check) =>
                line.Status is HealthStatus.Unhealthy && check.Dependency.StandIn is { } standIn && healthy.Contains(standIn)
                    ? line with { Status = HealthStatus.Degraded }
                    : line),
        ]);
    }
}
