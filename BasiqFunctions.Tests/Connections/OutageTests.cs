using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Notifications;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Connections;

/// <summary>While a bank is away nobody visits it, and whoever is affected is told once that it is, and once that it is back.</summary>
[Trait("Category", "Journeys")]
public sealed class OutageTests
{
    private const string Bank = "AU00000";

    private readonly FakeTimeProvider _clock = StandingClock.New();

    [Fact]
    public async Task During_a_day_s_outage_no_bank_is_visited_and_everybody_affected_is_told_of_its_start_and_its_end()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await StartAsync();
        await SubscribeAsync(app, receiver);
        string[] users = [await ConnectedAsync(app, "gavinBelson"), await ConnectedAsync(app, "jared"), await ConnectedAsync(app, "richard")];
        await SetStatusAsync(app, "major-outage");

        // The third one does not come by, and is not affected.
        var visits = await VisitsAsync(app);
        for (var hour = 0; hour < 24; hour++)
        {
            foreach (var userId in users[..2])
            {
                using var refresh = await app.Api.PostAsJsonAsync($"users/{userId}/refresh", new { force = true, attended = hour % 2 == 0 });
                Assert.Equal(HttpStatusCode.OK, refresh.StatusCode);
                var answer = await AppUnderTest.ReadAsync(refresh);
                Assert.Equal(("needs-attention", "wait-for-bank"), (answer.GetProperty("status").GetString(), answer.GetProperty("attention")[0].GetProperty("nextAction").GetString()));
            }

            await ToldAsync(receiver, 2);
            await LetPassAsync(app, TimeSpan.FromHours(1));
        }

        Assert.Equal(visits, await VisitsAsync(app));
        var shown = await app.Api.GetFromJsonAsync<JsonElement>($"users/{users[0]}/connections");
        Assert.Equal("wait-for-bank", shown.GetProperty("connections")[0].GetProperty("attention").GetProperty("nextAction").GetString());
        Assert.Equal(users[..2].Order(), receiver.Taken.Select(UserOf).Order());
        Assert.All(receiver.Taken, message => Assert.Equal(("connection.attention", "wait-for-bank"), (message.Type, message.Data.GetProperty("nextAction").GetString())));

        await SetStatusAsync(app, "operational");
        await ToldAsync(receiver, 4);
        Assert.Equal(users[..2].Order(), receiver.Taken[2..].Select(UserOf).Order());
        Assert.All(receiver.Taken[2..], message => Assert.Equal("connection.recovered", message.Type));
        await LetPassAsync(app, TimeSpan.FromHours(1));
        using (var refresh = await app.Api.PostAsJsonAsync($"users/{users[0]}/refresh", new { force = true }))
            Assert.Equal(HttpStatusCode.Accepted, refresh.StatusCode);
        Assert.Equal(4, receiver.Taken.Length);
        shown = await app.Api.GetFromJsonAsync<JsonElement>($"users/{users[0]}/connections?live=true");
        Assert.False(shown.GetProperty("connections")[0].TryGetProperty("attention", out _));
    }

    [Fact]
    public async Task A_job_that_failed_at_a_bank_that_is_away_waits_for_the_bank_and_at_another_one_it_is_tried_again_at_a_time()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await StartAsync();
        await SubscribeAsync(app, receiver);
        await SetStatusAsync(app, "major-outage");
        var userId = await app.CreateUserAsync();
        var away = await WaitAsync(app, userId, await app.ConsentAndReturnAsync(userId, "jianYang"));
        Assert.Equal((NextAction.WaitForBank, "major-outage", null), (away.Jobs[0].NextAction, away.Jobs[0].BankStatus, away.Jobs[0].RetryAt));
        await ToldAsync(receiver, 1);
        using (var refresh = await app.Api.PostAsJsonAsync($"users/{userId}/refresh", new { force = true }))
        {
            var spared = await AppUnderTest.ReadAsync(refresh);
            Assert.Equal(("needs-attention", "wait-for-bank"), (spared.GetProperty("status").GetString(), spared.GetProperty("attention")[0].GetProperty("nextAction").GetString()));
        }

        await SetStatusAsync(app, "degraded-performance");
        await ToldAsync(receiver, 2);
        Assert.Equal(["connection.attention", "connection.recovered"], receiver.Taken.Select(message => message.Type));
        var later = await WaitAsync(app, userId, await app.ConsentAndReturnAsync(userId, "jianYang"));
        Assert.Equal((NextAction.RetryLater, null), (later.Jobs[0].NextAction, later.Jobs[0].BankStatus));
        Assert.InRange(later.Jobs[0].RetryAt!.Value, _clock.GetUtcNow(), _clock.GetUtcNow() + TimeSpan.FromMinutes(10));
    }

    [Fact]
    public async Task Whoever_is_removed_during_an_outage_is_told_nothing_of_its_end()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await StartAsync();
        await SubscribeAsync(app, receiver);
        var (goes, stays) = (await ConnectedAsync(app, "gavinBelson"), await ConnectedAsync(app, "jared"));
        await SetStatusAsync(app, "major-outage");
        foreach (var userId in (string[])[goes, stays])
        {
            using var refresh = await app.Api.PostAsJsonAsync($"users/{userId}/refresh", new { force = true });
            Assert.Equal(HttpStatusCode.OK, refresh.StatusCode);
        }

        await ToldAsync(receiver, 2);
        using (var deleted = await app.Api.DeleteAsync(new Uri($"users/{goes}", UriKind.Relative)))
            Assert.True(deleted.IsSuccessStatusCode);
        await SetStatusAsync(app, "operational");
        await ToldAsync(receiver, 3);
        await LetPassAsync(app, TimeSpan.FromHours(1));

        Assert.Equal([stays], receiver.Taken[2..].Select(UserOf));
    }

    [Fact]
    public async Task A_sync_that_waits_for_a_bank_tells_when_it_will_have_ended_by_what_the_bank_takes_on_average()
    {
        await using var app = await StartAsync("Sandbox:JobDuration=00:01:30");
        var userId = await app.CreateUserAsync();
        var startedAt = _clock.GetUtcNow();
        var syncId = await app.ConsentAndReturnAsync(userId, "gavinBelson");

        var sync = await app.GetSyncAsync(userId, syncId);
        Assert.InRange(sync.ExpectedEndsAt!.Value, startedAt.AddSeconds(89), startedAt.AddSeconds(91));
        _clock.Advance(TimeSpan.FromSeconds(40));
        sync = await AppUnderTest.WaitForAsync(() => app.GetSyncAsync(userId, syncId), found => found.Jobs[0].Status is JobState.InProgress, () => _clock.Advance(TimeSpan.FromMilliseconds(50)));
        Assert.InRange(sync.ExpectedEndsAt!.Value, startedAt.AddSeconds(89), startedAt.AddSeconds(91));
        Assert.Null((await WaitAsync(app, userId, syncId)).ExpectedEndsAt);
    }

    private static string UserOf(Receiver.Received message) => message.Data.GetProperty("userId").GetString()!;

    private static async Task SubscribeAsync(AppUnderTest app, Receiver receiver)
    {
        using var subscribed = await app.Api.PutAsJsonAsync(
            "notifications/subscription", new { url = receiver.Url, events = (string[])["connection.attention", "connection.recovered"] });
        Assert.Equal(HttpStatusCode.OK, subscribed.StatusCode);
    }

    private static async Task<long> VisitsAsync(AppUnderTest app) => (await app.StatsAsync()).GetProperty("bankVisits").GetProperty("asked").GetInt64();

    private Task<AppUnderTest> StartAsync(params string[] settings) =>
        AppUnderTest.StartAsync(["Sandbox:Webhooks=false", "Sandbox:TokenLifetime=30.00:00:00", "Sandbox:TransactionsPerAccount=20", .. settings], _clock);

    private async Task<string> ConnectedAsync(AppUnderTest app, string login)
    {
        var userId = await app.CreateUserAsync($"{login}@hooli.com");
        Assert.Equal(SyncState.Completed, (await WaitAsync(app, userId, await app.ConsentAndReturnAsync(userId, login))).Status);
        return userId;
    }

    private Task<SyncAnswer> WaitAsync(AppUnderTest app, string userId, string syncId) =>
        app.WaitForSyncAsync(userId, syncId, () => _clock.Advance(TimeSpan.FromMilliseconds(200)));

    private Task ToldAsync(Receiver receiver, int messages) =>
        AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken.Length), count => count >= messages, () => _clock.Advance(TimeSpan.FromSeconds(30)));

    private async Task LetPassAsync(AppUnderTest app, TimeSpan time)
    {
        await app.RestAsync();
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMinutes(10))
        {
            _clock.Advance(TimeSpan.FromMinutes(10));
            await app.RestAsync();
        }
    }

    private async Task SetStatusAsync(AppUnderTest app, string status)
    {
        using var patched = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { connectorStatuses = new Dictionary<string, string> { [Bank] = status } });
        patched.EnsureSuccessStatusCode();

        // What was seen of the bank a moment ago holds for a minute.
        _clock.Advance(TimeSpan.FromMinutes(2));
    }
}
