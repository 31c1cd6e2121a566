using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Azure;
using Azure.Core.Pipeline;
using Azure.Messaging.EventGrid;
using Azure.Storage.Queues;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Notifications;

/// <summary>Notifications leave by an Azure Storage queue, in Azurite, and by Event Grid, whose endpoint a test plays.</summary>
[Trait("Category", "Journeys")]
public sealed class OtherWaysOutTests(AzuriteFixture azurite) : IClassFixture<AzuriteFixture>
{
    [SkippableFact]
    public async Task A_queue_gets_each_notification_as_json_that_a_queue_trigger_reads()
    {
        Skip.IfNot(azurite.Missing is null, azurite.Missing);
        var queue = new QueueClient(
            azurite.ConnectionString, $"notices-{Guid.NewGuid():N}", new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        await using var app = await AppUnderTest.StartAsync(
            [$"Notifications:Queue={queue.Name}"], configure: services => services.AddSingleton(queue));
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "gavinBelson"));

        // The app makes the queue when it first has something for it.
        var messages = await AppUnderTest.WaitForAsync(
            async () => await queue.ExistsAsync() ? (await queue.PeekMessagesAsync(10)).Value.Select(m => m.Body.ToString()).ToArray() : [], found => found.Length == 2);
        var told = messages.Select(text => JsonElement.Parse(text)).ToArray();
        Assert.Equal([NoticeTypes.DataChanged, NoticeTypes.SyncEnded], told.Select(message => message.GetProperty("type").GetString()));
        Assert.All(told, message => Assert.Equal(userId, message.GetProperty("data").GetProperty("userId").GetString()));
        Assert.All(told, message => Assert.StartsWith("msg_", message.GetProperty("id").GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Event_grid_gets_cloud_events_and_gets_them_again_when_it_refused_one()
    {
        using var topic = new Topic();
        using var http = new HttpClient(topic, disposeHandler: false);
        var client = new EventGridPublisherClient(
            new Uri("https://topic.example/api/events"),
            new AzureKeyCredential("key"),
            new EventGridPublisherClientOptions { Transport = new HttpClientTransport(http), Retry = { MaxRetries = 0 } });
        await using var app = await AppUnderTest.StartAsync(
            ["Notifications:EventGrid=https://topic.example/api/events"], configure: services => services.AddSingleton(client));
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "gavinBelson"));

        var taken = await AppUnderTest.WaitForAsync(() => Task.FromResult(topic.Taken.ToArray()), found => found.Length == 2);
        Assert.Equal([NoticeTypes.DataChanged, NoticeTypes.SyncEnded], taken.Select(e => e.GetProperty("type").GetString()));
        Assert.All(taken, e =>
        {
            Assert.Equal(("1.0", "/basiq-functions", $"users/{userId}"), (e.GetProperty("specversion").GetString(), e.GetProperty("source").GetString(), e.GetProperty("subject").GetString()));
            Assert.Equal(userId, e.GetProperty("data").GetProperty("userId").GetString());
        });
        Assert.Equal(3, topic.Asked);
    }

    /// <summary>Refuses the first event, and takes the others.</summary>
    private sealed class Topic : HttpMessageHandler
    {
        private int _asked;

        public ConcurrentQueue<JsonElement> Taken { get; } = [];

        public int Asked => _asked;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _asked) == 1)
                return new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
            foreach (var happened in JsonElement.Parse(await request.Content!.ReadAsStringAsync(cancellationToken)).EnumerateArray())
                Taken.Enqueue(happened.Clone());
            return new HttpResponseMessage(HttpStatusCode.OK);
        }
    }
}
