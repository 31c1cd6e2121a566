using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Tests.Sandbox;

/// <summary>A subscriber: keeps what it was sent, and answers what the test wants.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly SemaphoreSlim _arrived = new(0);

    private WebhookReceiver(WebApplication app) => _app = app;

    public string Url => _app.Urls.First() + "/hook";

    public int Status { get; set; } = 200;

    public ConcurrentQueue<Delivery> Deliveries { get; } = new();

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new WebhookReceiver(app);
        app.MapPost("/hook", receiver.Take);
        await app.StartAsync();
        return receiver;
    }

    /// <summary>Waits until this many have arrived in all, and gives the last of them.</summary>
    public async Task<Delivery> WaitFor(int count)
    {
        while (Deliveries.Count < count)
            Assert.True(await _arrived.WaitAsync(TimeSpan.FromSeconds(30)), $"{Deliveries.Count} of {count} deliveries arrived.");
        return Deliveries.ElementAt(count - 1);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _arrived.Dispose();
    }

    private async Task Take(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync();
        var headers = context.Request.Headers;
        context.Response.StatusCode = Status;
        Deliveries.Enqueue(new Delivery(
            headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString(), headers["webhook-signature"].ToString(), body));
        _arrived.Release();
    }

    public sealed record Delivery(string Id, string Timestamp, string Signature, string Body)
    {
        public string TypeId => System.Text.Json.JsonDocument.Parse(Body).RootElement.GetProperty("eventTypeId").GetString()!;
    }
}
