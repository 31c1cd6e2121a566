using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>
/// Takes what is sent by OTLP over HTTP, and to Azure Monitor, as it comes: texts stand in protobuf as they are, and texts are what
/// tests look for.
/// </summary>
internal sealed class TelemetryReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, ConcurrentQueue<byte[]>> _received = [];

    private TelemetryReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapPost("/v1/{signal}", TakeAsync);
        _app.MapPost("/v2.1/track", TakeForAzureMonitorAsync);
    }

    /// <summary>The setting that makes an app send everything here as it would to Azure Monitor.</summary>
    public string AzureMonitorSetting =>
        "APPLICATIONINSIGHTS_CONNECTION_STRING=InstrumentationKey=00000000-0000-0000-0000-000000000001;"
        + $"IngestionEndpoint={_app.Urls.First()}/;LiveEndpoint={_app.Urls.First()}/";

    /// <summary>The settings that make an app send everything here by OTLP.</summary>
    public IEnumerable<string> Settings =>
        [$"OTEL_EXPORTER_OTLP_ENDPOINT={_app.Urls.First()}", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"];

    public static async Task<TelemetryReceiver> StartAsync()
    {
        var receiver = new TelemetryReceiver();
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>
    /// All that came of <c>traces</c>, <c>metrics</c>, <c>logs</c> or, for Azure Monitor, <c>track</c>, one character per byte.
    /// </summary>
    public string Received(string signal) =>
        _received.TryGetValue(signal, out var bodies) ? string.Join('\n', bodies.Select(Encoding.Latin1.GetString)) : "";

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        _received.GetOrAdd((string)context.Request.RouteValues["signal"]!, _ => []).Enqueue(body.ToArray());
        context.Response.ContentType = "application/x-protobuf";
    }

    private async Task TakeForAzureMonitorAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await using (var lines = context.Request.Headers.ContentEncoding == "gzip"
            ? new GZipStream(context.Request.Body, CompressionMode.Decompress)
            : context.Request.Body)
        {
            await lines.CopyToAsync(body);
        }

        _received.GetOrAdd("track", _ => []).Enqueue(body.ToArray());
        var items = body.ToArray().Count(b => b == '\n') + 1;
        await context.Response.WriteAsJsonAsync(new { itemsReceived = items, itemsAccepted = items, errors = Array.Empty<object>() });
    }
}
