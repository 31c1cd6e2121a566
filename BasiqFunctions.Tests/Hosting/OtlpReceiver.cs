using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>Takes what is sent by OTLP over HTTP as it comes: texts stand in protobuf as they are, and texts are what tests look for.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, ConcurrentQueue<byte[]>> _received = [];

    private OtlpReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapPost("/v1/{signal}", TakeAsync);
    }

    /// <summary>The settings that make an app send everything here.</summary>
    public IEnumerable<string> Settings =>
        [$"OTEL_EXPORTER_OTLP_ENDPOINT={_app.Urls.First()}", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"];

    public static async Task<OtlpReceiver> StartAsync()
    {
        var receiver = new OtlpReceiver();
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>All that came of <c>traces</c>, <c>metrics</c> or <c>logs</c>, one character per byte.</summary>
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
}
