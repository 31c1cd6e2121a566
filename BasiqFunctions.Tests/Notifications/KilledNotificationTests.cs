using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Journeys;

namespace BasiqFunctions.Tests.Notifications;

/// <summary>
/// LocalHost is killed again and again while a receiver fails a third of the time. <c>NOTIFICATIONS=10000</c> in the environment has as many
/// sent; 30 are otherwise.
/// </summary>
#pragma warning disable CA1001 // DisposeAsync disposes of them.
[Trait("Category", "Journeys")]
public sealed class KilledNotificationTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private const int OfUser = 3;
    private const string Pending = "notifications/deliveries?status=pending&limit=500";

    private static readonly TimeSpan Life = TimeSpan.FromSeconds(2);

    private readonly ConcurrentQueue<(string Id, string UserId, string Type, string Body, bool Taken)> _came = [];
    private HostBesideSandbox _scene = null!;
    private Receiver _receiver = null!;

    public async Task InitializeAsync()
    {
        _receiver = await Receiver.StartAsync();
        _scene = await HostBesideSandbox.CreateAsync(
            new Dictionary<string, string> { ["JobDuration"] = "00:00:00.05", ["Webhooks"] = "false", ["TokenRequestLimit"] = "1000000" }, "Sync:FirstPollDelay=00:00:00.05");
    }

    public async Task DisposeAsync()
    {
        await _scene.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task Every_notification_arrives_in_the_order_of_its_user_and_under_one_id()
    {
        var users = Math.Max(1, int.Parse(Environment.GetEnvironmentVariable("NOTIFICATIONS") ?? "30", CultureInfo.InvariantCulture) / OfUser);
        var random = new Random(1);
        var isDown = true;
        _receiver.Answer = (message, _) =>
        {
            var isTaken = !Volatile.Read(ref isDown) && Chance(random) > 1.0 / 3;
            _came.Enqueue((message.Id, message.Data.GetProperty("userId").GetString()!, message.Type, message.Body, isTaken));
            return Task.FromResult(isTaken ? 204 : 500);
        };
        var host = await _scene.StartHostAsync();
        string[] all;
        try
        {
            using (var set = await host.Api.PutAsJsonAsync("notifications/subscription", new { url = _receiver.Url }))
                Assert.Equal(HttpStatusCode.OK, set.StatusCode);
            all = await Task.WhenAll(Enumerable.Range(0, 4).Select(lane => LivesAsync(host, (users + 3 - lane) / 4))).ContinueWith(
                lanes => lanes.Result.SelectMany(lane => lane).ToArray(), TaskScheduler.Default);
            Assert.Equal(users, all.Length);
            Volatile.Write(ref isDown, false);
            for (var kills = 0; ; kills++)
            {
                using var life = new CancellationTokenSource(Life);
                if (await DeliverAsync(host, life.Token) && kills >= 3)
                    break;
                Assert.True(kills < 50 + users, $"After {kills} kills there is still something to deliver: {await host.Api.GetStringAsync(Pending)}");
                _scene.Kill(host);
                host = await _scene.StartHostAsync();
            }
        }
        finally
        {
            host.Dispose();
        }

        foreach (var userId in all)
        {
            var ofUser = _came.Where(message => message.UserId == userId).ToArray();
            Assert.Equal(
                [NoticeTypes.DataChanged, NoticeTypes.SyncEnded, NoticeTypes.DataRemoved],
                ofUser.Where(message => message.Taken).DistinctBy(message => message.Id).Select(message => message.Type));
            Assert.Equal(OfUser, ofUser.Select(message => (message.Id, message.Body)).Distinct().Count());
            Assert.Equal(OfUser, ofUser.Select(message => message.Id).Distinct().Count());
        }
    }

    private static double Chance(Random random)
    {
        lock (random)
            return random.NextDouble();
    }

    /// <summary>Has users come, be fetched, and go.</summary>
    private async Task<string[]> LivesAsync(LocalHostProcess host, int users)
    {
        List<string> lived = [];
        for (var i = 0; i < users; i++)
        {
            var (userId, syncId) = await _scene.StartSyncAsync(host, "Whistler");
            await HostBesideSandbox.CompletedAsync(host, userId, syncId);
            using var deleted = await host.Api.DeleteAsync(new Uri($"users/{userId}", UriKind.Relative));
            Assert.True(deleted.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.Accepted);

            // What is told of a removal that goes on is in no list of deliveries yet.
            if (deleted.Headers.Location is { } url)
            {
                await AppUnderTest.WaitForAsync(
                    async () =>
                    {
                        using var receipt = await host.Api.GetAsync(url);
                        return receipt.StatusCode;
                    },
                    status => status is HttpStatusCode.OK);
            }

            lived.Add(userId);
        }

        return [.. lived];
    }

    /// <summary>Has what failed tried again at once, as a team would that mends its receiver, until nothing waits any more or time is up.</summary>
    private static async Task<bool> DeliverAsync(LocalHostProcess host, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            var pending = (await host.Api.GetFromJsonAsync<JsonElement>(Pending, CancellationToken.None))
                .GetProperty("deliveries").EnumerateArray().ToArray();
            if (pending.Length == 0)
                return true;
            foreach (var failed in pending.Where(delivery => delivery.TryGetProperty("nextAttemptAt", out _)))
            {
                using var retried = await host.Api.PostAsync(
                    new Uri($"notifications/deliveries/{failed.GetProperty("messageId").GetString()}/retry", UriKind.Relative), null, CancellationToken.None);
                Assert.Equal(HttpStatusCode.Accepted, retried.StatusCode);
                if (end.IsCancellationRequested)
                    break;
            }
        }

        return false;
    }
}
