using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace BasiqFunctions.Platform.Telemetry;

/// <summary>Registers where traces, metrics and log lines go.</summary>
public static class TelemetryRegistration
{
    private const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string ApplicationInsights = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    /// <summary>Adds <see cref="Instruments"/>, which measure whether or not anyone listens.</summary>
    public static IServiceCollection AddInstruments(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Instruments>();
        return services;
    }

    /// <summary>
    /// Sends telemetry by OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set, and to Azure Monitor where
    /// <c>APPLICATIONINSIGHTS_CONNECTION_STRING</c> is, signed in as <c>APPLICATIONINSIGHTS_AUTHENTICATION_STRING</c> says. Without
    /// either it adds nothing.
    /// </summary>
    /// <remarks>
    /// Traces hold the functions, the orchestrations and the calls that the app makes, these without their queries. What callers send is not traced here: it reaches the app through the Functions host, which does that.
    /// </remarks>
    /// <returns>Whether telemetry goes anywhere.</returns>
    public static bool AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var byOtlp = !string.IsNullOrEmpty(configuration[OtlpEndpoint]);
        var toAzureMonitor = !string.IsNullOrEmpty(configuration[ApplicationInsights]);
        if (!byOtlp && !toAzureMonitor)
            return false;

        Send(services, configuration, byOtlp, toAzureMonitor);
        return true;
    }

    /// <summary>By itself, so that a process that sends nothing loads none of the libraries that do.</summary>
    private static void Send(IServiceCollection services, IConfiguration configuration, bool byOtlp, bool toAzureMonitor)
    {
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(
                configuration["OTEL_SERVICE_NAME"] ?? configuration["WEBSITE_SITE_NAME"] ?? nameof(BasiqFunctions)))
            .WithTracing(tracing => tracing
                .AddProcessor<QueryRedaction>()
                .AddSource(Instruments.Name, "Microsoft.Azure.Functions.Worker", "Microsoft.DurableTask")
                .AddHttpClientInstrumentation(http => http.FilterHttpRequestMessage = request => !IsGrpc(request) && !IsNotification(request)))
            .WithMetrics(metrics => metrics.AddMeter(Instruments.Name, "System.Net.Http", "System.Runtime", "Polly"))
            .WithLogging();
        if (byOtlp)
            telemetry.UseOtlpExporter();
        if (toAzureMonitor)
        {
            var credential = TelemetryCredential.Parse(configuration[TelemetryCredential.Setting]);
            telemetry.UseAzureMonitorExporter(monitor =>
            {
                monitor.ConnectionString = configuration[ApplicationInsights];
                monitor.Credential = credential;
            });
        }
    }

    /// <summary>The path of a receiver's URL may be all that keeps others from writing to it, so no trace has it.</summary>
    private static bool IsNotification(HttpRequestMessage request) => request.Headers.Contains("webhook-signature");

    /// <summary>The worker talks to its own host by gRPC, all the time; that is no call of the app's.</summary>
    private static bool IsGrpc(HttpRequestMessage request) =>
        request.Content?.Headers.ContentType?.MediaType?.StartsWith("application/grpc", StringComparison.Ordinal) is true;
}
