using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tests.Notifications;

/// <summary>A team's backend as notifications meet it: it takes them, unless a test has it do something else.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Received> _received = [];

    private Receiver(WebApplication app) => _app = app;

    public Uri Url { get; private set; } = null!;

    /// <summary>Everything that came, taken or not, in the order in which it came.</summary>
    public Received[] All => [.. _received];

    /// <summary>What came and was taken, each message once.</summary>
    public Received[] Taken => [.. All.Where(message => message.Status is 204).DistinctBy(message => message.Id)];

    /// <summary>How a message is answered; 204 unless a test says otherwise.</summary>
    public Func<Received, HttpContext, Task<int>> Answer { get; set; } = (_, _) => Task.FromResult(204);

    public static async Task<Receiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new Receiver(app);
        app.MapFallback(receiver.TakeAsync);
        await app.StartAsync();
        receiver.Url = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/hooks?key=1");
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        using var end = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(end.Token);
        await _app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var headers = context.Request.Headers;
        var received = new Received(
            headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString(), headers["webhook-signature"].ToString(),
            await reader.ReadToEndAsync(), headers.ToDictionary(h => h.Key, h => h.Value.ToString()));
        var status = await Answer(received, context);
        _received.Enqueue(received with { Status = status });
        if (!context.Response.HasStarted)
            context.Response.StatusCode = status;
    }

    /// <param name="Id">The message.</param>
    /// <param name="Timestamp">When it was sent, in Unix seconds.</param>
    /// <param name="Signatures">With spaces between them.</param>
    /// <param name="Body">What it says.</param>
    /// <param name="Headers">All that came with it.</param>
    /// <param name="Status">How it was answered.</param>
    public sealed record Received(string Id, string Timestamp, string Signatures, string Body, IReadOnlyDictionary<string, string> Headers, int Status = 0)
    {
        public JsonElement Json => JsonElement.Parse(Body);

        public string Type => Json.GetProperty("type").GetString()!;

        public JsonElement Data => Json.GetProperty("data");
    }
}
