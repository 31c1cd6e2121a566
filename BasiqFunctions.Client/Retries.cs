using System.Net;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace BasiqFunctions.Client;

/// <summary>When a call is repeated.</summary>
internal static class Retries
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>More than the app gives itself to answer, which is 150 s unless its settings say otherwise.</summary>
    private static readonly TimeSpan LongestAttempt = TimeSpan.FromSeconds(170);

    private const int MostRetries = 4;

    /// <summary>How long all attempts can take, with the waits between them.</summary>
    internal static readonly TimeSpan Longest = ((MostRetries + 1) * LongestAttempt) + (MostRetries * LongestWait) + TimeSpan.FromMinutes(1);

    public static void Configure(ResiliencePipelineBuilder<HttpResponseMessage> pipeline) =>
        pipeline.AddRetry(new HttpRetryStrategyOptions
        {
            MaxRetryAttempts = MostRetries,
            Delay = TimeSpan.FromMilliseconds(500),
            MaxDelay = LongestWait,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = attempt => ValueTask.FromResult(
                HttpClientResiliencePredicates.IsTransient(attempt.Outcome)
                && MayRepeat(attempt.Context.GetRequestMessage(), attempt.Outcome.Result)
                && WaitOf(attempt.Outcome.Result) <= LongestWait),
        }).AddTimeout(LongestAttempt);

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
