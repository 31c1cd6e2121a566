using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Platform.Health;

/// <summary>The HTTP function of health.</summary>
public sealed class HealthFunctions(HealthChecks checks)
{
    /// <summary>How every dependency does: 200 while the app can do its work, or has only just started, else 503. Anonymous, for whatever watches the app.</summary>
    [Function("Health")]
    [Answers(StatusCodes.Status200OK, typeof(HealthReport))]
    [Answers(StatusCodes.Status503ServiceUnavailable, typeof(HealthReport))]
    public async Task<IResult> Health(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "health")] HttpRequest request,
        [DurableClient] DurableTaskClient durable,
        CancellationToken cancellation)
    {
        var report = await checks.ReportAsync(durable, cancellation);
        return new JsonAnswer<HealthReport>(
            report.Status is HealthStatus.Unhealthy ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK, report);
    }
}
