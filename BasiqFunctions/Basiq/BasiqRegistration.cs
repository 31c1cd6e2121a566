using System.Net;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;
using Polly.RateLimiting;
using Polly.Retry;
using Polly.Telemetry;
using Polly.Timeout;

namespace BasiqFunctions.Basiq;

/// <summary>Registers the Basiq client.</summary>
public static class BasiqRegistration
{
    /// <summary>How long the circuit breaker keeps calls from a Basiq that is down.</summary>
    internal static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Adds <see cref="IBasiqClient"/>, its options (section <c>Basiq</c>, validated at start) and its HTTP pipeline. The transport
    /// that authorizes its calls is added by <c>AddTokens</c>, before or after.
    /// </summary>
    public static IServiceCollection AddBasiqClient(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<BasiqOptions>().Bind(configuration.GetSection(BasiqOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<BasiqOptions>, BasiqOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddInstruments();
        services.TryAddSingleton<ClockCheck>();
        services.TryAddTransient<AttemptHandler>();
        services.AddRecordTable<BasiqOptions>(configuration, BasiqOptions.Section, options => options.Table);
        services.TryAddSingleton<BasiqLimits>();
        services.TryAddSingleton<IBasiqClient, BasiqClient>();
        services.TryAddSingleton<IBasiqAddress>(provider => provider.GetRequiredService<BasiqTransport>());

        var http = services
            .AddHttpClient(BasiqTransport.HttpClientName)
            .RemoveAllLoggers()
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(provider => Connections(provider.GetRequiredService<IOptions<BasiqOptions>>().Value));
        http.AddResilienceHandler("pipeline", Resilience);
        services.Configure<TelemetryOptions>(polly => polly.SeverityProvider = SeverityOf);
        http.AddHttpMessageHandler<AttemptHandler>();
        services.AddHttpClient(BasiqHealth.HttpClientName)
            .RemoveAllLoggers()
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        return services;
    }

    /// <summary>
    /// The connections. They live a few minutes, so that a changed DNS entry is noticed; a redirect would take the token to a
    /// place that the settings do not name.
    /// </summary>
    private static SocketsHttpHandler Connections(BasiqOptions options) =>
        new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Brotli,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxConnectionsPerServer = options.MaxConnections,
        };

    private static void Resilience(ResiliencePipelineBuilder<HttpResponseMessage> pipeline, ResilienceHandlerContext context)
    {
        var options = context.ServiceProvider.GetRequiredService<IOptions<BasiqOptions>>().Value;
        var timeProvider = context.ServiceProvider.GetRequiredService<TimeProvider>();
        pipeline.TimeProvider = timeProvider;
        pipeline.AddTimeout(new TimeoutStrategyOptions { Name = "total-timeout", Timeout = options.TotalTimeout });
        if (options.MaxRetries > 0)
        {
            pipeline.AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                Name = "retry",
                MaxRetryAttempts = options.MaxRetries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.RetryDelay,
                MaxDelay = options.MaxRetryDelay,
                ShouldHandle = arguments =>
                {
                    var call = CallOf(arguments.Context);
                    return new(
                        BasiqRetries.IsWorthAnother(call, arguments.Outcome.Result, arguments.Outcome.Exception)
                        && (BasiqRetries.RetryAfter(arguments.Outcome.Result, timeProvider) is not { } wait || IsAffordable(call, wait)));
                },
                DelayGenerator = arguments => new(BasiqRetries.RetryAfter(arguments.Outcome.Result, timeProvider)),
            });
        }

        // Inside of the retries, since each attempt counts; outside of the breaker, which must not take our refusals for Basiq's health.
        var limits = context.ServiceProvider.GetRequiredService<BasiqLimits>();
        pipeline.AddRateLimiter(new RateLimiterStrategyOptions
        {
            Name = "limits",
            RateLimiter = arguments => limits.AcquireAsync(CallOf(arguments.Context), arguments.Context.CancellationToken),
        });
        pipeline.AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
        {
            Name = "circuit-breaker",
            SamplingDuration = TimeSpan.FromSeconds(30),
            MinimumThroughput = 20,
            FailureRatio = 0.7,
            BreakDuration = BreakDuration,
            ShouldHandle = arguments => new(BasiqRetries.IsOutage(arguments.Outcome.Result, arguments.Outcome.Exception)),
        });
        pipeline.AddTimeout(new TimeoutStrategyOptions { Name = "attempt-timeout", Timeout = options.AttemptTimeout });

        // A wait that would outlast the call is better spent by its caller, who can do so without holding a request open.
        bool IsAffordable(BasiqCall call, TimeSpan wait) =>
            wait <= options.MaxRetryDelay && timeProvider.GetElapsedTime(call.StartedAt) + wait < options.TotalTimeout;
    }

    /// <summary>Each attempt and what it came to is told by the app already, without a stack trace of the pipeline.</summary>
    private static ResilienceEventSeverity SeverityOf(SeverityProviderArguments arguments) =>
        arguments.Event.EventName is "OnTimeout" or "OnRetry" or "ExecutionAttempt" ? ResilienceEventSeverity.Debug : arguments.Event.Severity;

    private static BasiqCall CallOf(ResilienceContext context) =>
        BasiqCall.Of(context.GetRequestMessage() ?? throw new InvalidOperationException("The pipeline runs without a request."));
}
