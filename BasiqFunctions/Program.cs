using BasiqFunctions;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.UseMiddleware<HttpFunctionMiddleware>();
builder.Services.AddBasiqFunctions(builder.Configuration);

// At Information these write every attempt, and most of them every address that is asked for, with its query; one puts it in a
// scope at any level.
builder.Logging
    .AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
    .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None)
    .AddFilter("System.Net.Http", LogLevel.Warning)
    .AddFilter("Azure", LogLevel.Warning)
    .AddFilter("Polly", LogLevel.Warning);

if (builder.Services.AddTelemetry(builder.Configuration))
{
    // Tells the host that the worker sends its own telemetry, so that nothing is sent twice.
    builder.Services.Configure<WorkerOptions>(worker => worker.Capabilities["WorkerOpenTelemetryEnabled"] = bool.TrueString);
}

await builder.Build().RunAsync();
