using System.Diagnostics.CodeAnalysis;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Vault;
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

/// <summary>
/// One dependency's line. Callers within a few seconds share one answer, and a question that is not answered is not asked again
/// beside itself.
/// </summary>
internal sealed class DependencyCheck(IDependency dependency, Uptime uptime, TimeProvider clock, ILogger logger)
{
    /// <summary>How long an answer is handed out again.</summary>
    internal static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);

    /// <summary>How long a dependency may take to answer.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long after the start no answer is no bad one: a cold and busy machine takes longer than <see cref="Patience"/>.</summary>
    internal static readonly TimeSpan StartingTime = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private Task<HealthLine>? _line;
    private long _askedAt;
    private Task<(HealthStatus Status, string? Detail)>? _question;
    private bool _hasAnswered;
    private (string Code, LogPace Pace)? _trouble;

    /// <summary>The line; it never fails.</summary>
    public Task<HealthLine> AskAsync(DurableTaskClient durable)
    {
        lock (_gate)
        {
            if (_line is null || (_line.IsCompleted && clock.GetElapsedTime(_askedAt) >= Freshness))
            {
                _askedAt = clock.GetTimestamp();

                // Others wait for this answer, too, so the caller who happened to ask cannot end it; Patience does.
                _line = LineAsync(durable);
            }

            return _line;
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong is what the line tells.")]
    private async Task<HealthLine> LineAsync(DurableTaskClient durable)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        var enough = patience.Token;
        try
        {
            // What ignores its token does not hold the report up.
            if (_question is not { IsCompleted: false })
                _question = dependency.AskAsync(durable, enough);
            var (status, detail) = await _question.WaitAsync(enough);
            _hasAnswered = true;
            _trouble = null;
            return Line(status, detail);
        }
        catch (OperationCanceledException) when (enough.IsCancellationRequested)
        {
            return !_hasAnswered && uptime.Elapsed < StartingTime ? Line(HealthStatus.Starting, "timeout") : Unhealthy("timeout");
        }
        catch (Exception e)
        {
            return Unhealthy(e switch
            {
                IProblem problem => problem.Code,
                HttpRequestException => "unreachable",
                _ => KeyVaultErrors.Code(e),
            });
        }
    }

    private HealthLine Unhealthy(string code)
    {
        if (_trouble?.Code != code)
            _trouble = (code, new LogPace(clock));
        if (_trouble.Value.Pace.IsDue(out var times))
            logger.CheckFailed(dependency.Name, code, times);
        return Line(HealthStatus.Unhealthy, code);
    }

    private HealthLine Line(HealthStatus status, string? detail) => new(dependency.Name, status, detail, clock.GetUtcNow());
}
