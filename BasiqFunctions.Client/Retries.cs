using System.Net;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace BasiqFunctions.Client;

/// <summary>When a call is repeated.</summary>
internal static class Retries
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    public static void Configure(ResiliencePipelineBuilder<HttpResponseMessage> pipeline) =>
        pipeline.AddRetry(new HttpRetryStrategyOptions
        {
            MaxRetryAttempts = 4,
            Delay = TimeSpan.FromMilliseconds(500),
            MaxDelay = LongestWait,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = attempt => ValueTask.FromResult(
                HttpClientResiliencePredicates.IsTransient(attempt.Outcome)
                && MayRepeat(attempt.Context.GetRequestMessage(), attempt.Outcome.Result)
                && WaitOf(attempt.Outcome.Result) <= LongestWait),
        });

    private static bool MayRepeat(HttpRequestMessage? request, HttpResponseMessage? answer) =>
        request is not null
        && (request.Method != HttpMethod.Post && request.Method != HttpMethod.Patch
            || request.Headers.Contains("Idempotency-Key")
            || answer?.StatusCode is HttpStatusCode.TooManyRequests);

    private static TimeSpan WaitOf(HttpResponseMessage? answer) => answer?.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - DateTimeOffset.UtcNow,
        _ => TimeSpan.Zero,
    };
}
