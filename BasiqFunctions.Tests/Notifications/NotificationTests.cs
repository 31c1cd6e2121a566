using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Notifications;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Data.Sqlite;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Notifications;

/// <summary>The team's backend is told what happens, through LocalHost and the sandbox.</summary>
[Trait("Category", "Journeys")]
public sealed class NotificationTests
{
    [Fact]
    public async Task A_life_from_the_first_sync_to_the_end_of_consent_is_told_in_order_by_ids_alone()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await AppUnderTest.StartAsync();
        var subscribed = await SubscribeAsync(app, receiver.Url);
        var secret = subscribed.GetProperty("secret").GetString()!;
        Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);
        var userId = await app.CreateUserAsync();
        var syncId = await app.ConsentAndReturnAsync(userId, "gavinBelson");
        await app.WaitForSyncAsync(userId, syncId);
        await ToldAsync(receiver, NoticeTypes.SyncEnded);
        var consents = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/consents");
        var consentId = consents.GetProperty("consents")[0].GetProperty("id").GetString();
        await app.DeleteAsync($"users/{userId}/consents/{consentId}");
        await ToldAsync(receiver, NoticeTypes.DataRemoved);

        var told = receiver.Taken;
        Assert.Equal([NoticeTypes.DataChanged, NoticeTypes.SyncEnded, NoticeTypes.ConsentEnded, NoticeTypes.DataRemoved], told.Select(message => message.Type));
        Assert.All(told, message => Assert.Equal(userId, message.Data.GetProperty("userId").GetString()));
        Assert.Equal((syncId, "completed"), (told[1].Data.GetProperty("syncId").GetString(), told[1].Data.GetProperty("outcome").GetString()));
        Assert.Equal((consentId, "consent-revoked"), (told[2].Data.GetProperty("consentId").GetString(), told[2].Data.GetProperty("reason").GetString()));
        var receipts = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/deletion-receipts");
        Assert.Equal(receipts.GetProperty("receipts")[0].GetProperty("receiptId").GetString(), told[3].Data.GetProperty("receiptId").GetString());
        foreach (var message in told)
        {
            Assert.Equal(Sign(secret, message), message.Signatures);
            Assert.InRange(DateTimeOffset.FromUnixTimeSeconds(long.Parse(message.Timestamp, System.Globalization.CultureInfo.InvariantCulture)), DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(1));
            Assert.Equal("application/json", message.Headers["Content-Type"]);
            Assert.DoesNotContain(message.Headers.Keys, name => name is "Authorization" or "x-functions-key" or "traceparent" or "Cookie");
            Assert.DoesNotContain("gavin", message.Body, StringComparison.OrdinalIgnoreCase);
        }

        var shown = await app.Api.GetStringAsync(new Uri("notifications/subscription", UriKind.Relative));
        Assert.DoesNotContain("whsec_", shown, StringComparison.Ordinal);
        var deliveries = await DeliveriesAsync(app);
        Assert.Equal(told.Select(message => message.Id).Reverse().Order(), deliveries.Select(d => d.GetProperty("messageId").GetString()).Order());
        Assert.All(deliveries, d => Assert.Equal(("delivered", 1), (d.GetProperty("status").GetString(), d.GetProperty("attempts").GetInt32())));
    }

    [Fact]
    public async Task A_subscription_is_made_changed_rotated_tried_and_deleted()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await AppUnderTest.StartAsync();
        using (var none = await app.Api.GetAsync(new Uri("notifications/subscription", UriKind.Relative)))
            await AppUnderTest.AssertProblemAsync(none, HttpStatusCode.NotFound, "subscription-not-found");
        var first = (await SubscribeAsync(app, receiver.Url)).GetProperty("secret").GetString()!;
        var same = await SubscribeAsync(app, receiver.Url, new { url = receiver.Url, events = (string[])["sync.ended"] });
        Assert.False(same.TryGetProperty("secret", out _));
        Assert.Equal("sync.ended", same.GetProperty("events")[0].GetString());
        var second = (await SubscribeAsync(app, receiver.Url, new { url = receiver.Url, rotateSecret = true })).GetProperty("secret").GetString()!;
        Assert.NotEqual(first, second);

        using (var tried = await app.Api.PostAsync(new Uri("notifications/test", UriKind.Relative), null))
            Assert.True((await AppUnderTest.ReadAsync(tried)).GetProperty("delivered").GetBoolean());
        var message = Assert.Single(receiver.Taken);
        Assert.Equal([.. ((string[])[Sign(first, message), Sign(second, message)]).Order()], message.Signatures.Split(' ').Order());

        receiver.Answer = (_, context) =>
        {
            context.Response.Headers.Location = new Uri(receiver.Url, "elsewhere").ToString();
            return Task.FromResult(302);
        };
        using (var tried = await app.Api.PostAsync(new Uri("notifications/test", UriKind.Relative), null))
            Assert.Equal("http-302", (await AppUnderTest.ReadAsync(tried)).GetProperty("result").GetString());
        Assert.Equal(2, receiver.All.Length);

        using (var deleted = await app.Api.DeleteAsync(new Uri("notifications/subscription", UriKind.Relative)))
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        using (var tried = await app.Api.PostAsync(new Uri("notifications/test", UriKind.Relative), null))
            await AppUnderTest.AssertProblemAsync(tried, HttpStatusCode.NotFound, "subscription-not-found");
    }

    [Fact]
    public async Task Ten_subscriptions_each_have_their_events_and_there_is_no_eleventh()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await AppUnderTest.StartAsync();
        for (var i = 0; i < 10; i++)
        {
            using var set = await app.Api.PutAsJsonAsync(
                $"notifications/subscription?name=s{i}", new { url = new Uri(receiver.Url, $"s{i}"), events = (string[])[i == 0 ? "sync.ended" : "data.removed"] });
            Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        }

        using (var eleventh = await app.Api.PutAsJsonAsync("notifications/subscription?name=s10", new { url = receiver.Url }))
            await AppUnderTest.AssertProblemAsync(eleventh, HttpStatusCode.Conflict, "too-many-subscriptions");
        Assert.Equal(10, (await app.Api.GetFromJsonAsync<JsonElement>("notifications/subscriptions")).GetProperty("subscriptions").GetArrayLength());
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "gavinBelson"));
        await ToldAsync(receiver, NoticeTypes.SyncEnded);
        await app.RestAsync();
        Assert.Single(receiver.All);
    }

    [Theory]
    [InlineData("""{}""", "url")]
    [InlineData("""{"url":"http://hooks.example.com/"}""", "url")]
    [InlineData("""{"url":"https://user:pw@hooks.example.com/"}""", "url")]
    [InlineData("""{"url":"https://169.254.169.254/"}""", "url")]
    [InlineData("""{"url":"https://hooks.example.com/","events":["sync.begun"]}""", "events")]
    [InlineData("""{"url":"https://hooks.example.com/","events":"sync.ended"}""", "events")]
    [InlineData("""{"url":"https://hooks.example.com/","secret":"whsec_mine"}""", "secret")]
    [InlineData("""{"url":"https://hooks.example.com/","rotateSecret":"yes"}""", "rotateSecret")]
    public async Task Bad_input_is_refused_by_name(string body, string field)
    {
        await using var app = await AppUnderTest.StartAsync();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await app.Api.PutAsync(new Uri("notifications/subscription", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.True((await AppUnderTest.ReadAsync(answer)).GetProperty("errors").TryGetProperty(field, out _));
    }

    [Fact]
    public async Task A_receiver_that_fails_is_tried_again_in_order_and_one_that_is_gone_is_left_alone()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await AppUnderTest.StartAsync();
        await SubscribeAsync(app, receiver.Url);
        var fails = true;
        receiver.Answer = (_, _) => Task.FromResult(Volatile.Read(ref fails) ? 503 : 204);
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "gavinBelson"));
        var waiting = await AppUnderTest.WaitForAsync(() => DeliveriesAsync(app, "pending"), found => found.Any(d => d.TryGetProperty("nextAttemptAt", out _)));
        var first = Assert.Single(waiting, d => d.TryGetProperty("nextAttemptAt", out _));
        Assert.Equal("http-503", first.GetProperty("lastResult").GetString());
        Volatile.Write(ref fails, false);
        using (var retried = await app.Api.PostAsync(new Uri($"notifications/deliveries/{first.GetProperty("messageId").GetString()}/retry", UriKind.Relative), null))
            Assert.Equal(HttpStatusCode.Accepted, retried.StatusCode);
        await ToldAsync(receiver, NoticeTypes.SyncEnded);
        Assert.Equal([NoticeTypes.DataChanged, NoticeTypes.SyncEnded], receiver.Taken.Select(message => message.Type));
        Assert.Equal(receiver.All[0].Id, receiver.Taken[0].Id);
        Assert.Equal(NoticeTypes.DataChanged, receiver.All[^2].Type);
        var before = receiver.All.Length;

        // What has arrived is sent once more when that is asked for, under its id.
        using (var again = await app.Api.PostAsync(new Uri($"notifications/deliveries/{receiver.All[0].Id}/retry", UriKind.Relative), null))
            Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        await AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.All), all => all.Length > before);
        Assert.Equal(receiver.All[0].Id, receiver.All[^1].Id);
        using (var unknown = await app.Api.PostAsync(new Uri("notifications/deliveries/msg_unknown/retry", UriKind.Relative), null))
            await AppUnderTest.AssertProblemAsync(unknown, HttpStatusCode.NotFound, "delivery-not-found");

        receiver.Answer = (_, _) => Task.FromResult(410);
        await app.DeleteAsync($"users/{userId}");
        await AppUnderTest.WaitForAsync(
            async () => (await app.Api.GetFromJsonAsync<JsonElement>("notifications/subscriptions")).GetProperty("subscriptions").GetArrayLength(), left => left == 0);
        await AppUnderTest.WaitForAsync(
            () => Task.FromResult(app.Logs.Lines), lines => lines.Any(line => line.Contains("answered 410 Gone", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_subscription_that_moves_while_its_old_receiver_says_that_it_is_gone_stays_and_gets_the_message()
    {
        await using var before = await Receiver.StartAsync();
        await using var after = await Receiver.StartAsync();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var app = await AppUnderTest.StartAsync(clock: clock);
        var secret = (await SubscribeAsync(app, before.Url)).GetProperty("secret").GetString()!;
        before.Answer = async (_, _) =>
        {
            await SubscribeAsync(app, after.Url);
            return 410;
        };
        var id = await TellAsync(app, "sync.ended", "user-1");
        await AsleepAsync(app);

        clock.Advance(TimeSpan.FromSeconds(6));

        await ToldAsync(after, NoticeTypes.SyncEnded);
        var message = Assert.Single(after.Taken);
        Assert.Equal((id, Sign(secret, message)), (message.Id, message.Signatures));
    }

    [Fact]
    public async Task A_message_that_waits_when_the_clock_is_set_back_waits_so_much_longer_and_is_looked_at_once()
    {
        await using var receiver = await Receiver.StartAsync();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var wallClock = new WallClock(clock);
        await using var app = await AppUnderTest.StartAsync(clock: wallClock);
        await SubscribeAsync(app, receiver.Url);
        receiver.Answer = (_, _) => Task.FromResult(receiver.All.Length is 0 ? 503 : 204);
        await TellAsync(app, "sync.ended", "user-1");
        await AsleepAsync(app);
        var before = await LooksAsync();

        wallClock.IsSetBackBy = TimeSpan.FromMinutes(30);
        clock.Advance(TimeSpan.FromSeconds(6));
        await AppUnderTest.WaitForAsync(LooksAsync, looks => looks > before);
        for (var times = 0; times < 10; times++)
            await DeliveriesAsync(app);
        Assert.Equal(before + 1, await LooksAsync());

        clock.Advance(TimeSpan.FromMinutes(30));
        await ToldAsync(receiver, NoticeTypes.SyncEnded);

        Task<long> LooksAsync() => CountAsync(app, "activity_runs WHERE instance_id LIKE 'deliver-%'");
    }

    [Theory]
    [InlineData(204, 2)]
    [InlineData(503, 3)]
    public async Task A_retry_that_is_asked_for_during_an_attempt_hides_nothing_of_what_comes_of_it(int status, int attempts)
    {
        await using var receiver = await Receiver.StartAsync();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var app = await AppUnderTest.StartAsync(clock: clock);
        await SubscribeAsync(app, receiver.Url);
        receiver.Answer = async (message, _) =>
        {
            if (receiver.All.Length is 0)
                return 503;
            if (receiver.All.Length > 1)
                return 204;
            using var retried = await app.Api.PostAsync(new Uri($"notifications/deliveries/{message.Id}/retry", UriKind.Relative), null);
            Assert.Equal(HttpStatusCode.Accepted, retried.StatusCode);
            return status;
        };
        var id = await TellAsync(app, "sync.ended", "user-1");
        await AsleepAsync(app);

        clock.Advance(TimeSpan.FromSeconds(6));

        var delivered = Assert.Single(await AppUnderTest.WaitForAsync(() => DeliveriesAsync(app, "delivered"), found => found.Count > 0));
        Assert.Equal((id, attempts), (delivered.GetProperty("messageId").GetString(), delivered.GetProperty("attempts").GetInt32()));
        Assert.Empty(await DeliveriesAsync(app, "pending"));
    }

    [Fact]
    public async Task What_waits_of_one_user_is_folded_and_what_a_later_message_says_is_said_once()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await AppUnderTest.StartAsync();
        await SubscribeAsync(app, receiver.Url);
        var (arrived, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        receiver.Answer = async (_, _) =>
        {
            arrived.TrySetResult();
            await gate.Task;
            return 204;
        };
        var ids = new List<string> { await TellAsync(app, "data.changed", "user-1") };
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(30));
        foreach (var type in (string[])["data.changed", "sync.ended", "data.changed", "data.changed"])
            ids.Add(await TellAsync(app, type, "user-1"));
        await TellAsync(app, "data.changed", "user-2");
        gate.SetResult();
        await AppUnderTest.WaitForAsync(() => DeliveriesAsync(app, "pending"), left => left.Count == 0);

        // The first was on its way already.
        var told = receiver.Taken.Where(message => message.Data.GetProperty("userId").GetString() == "user-1").Select(message => message.Id);
        Assert.Equal([ids[0], ids[2], ids[4]], told);
        Assert.Equal([ids[3], ids[1]], (await DeliveriesAsync(app, "folded")).Select(d => d.GetProperty("messageId").GetString()!));
        Assert.Equal(4, receiver.Taken.Length);
    }

    [Fact]
    public async Task Deliveries_are_listed_page_by_page_the_newest_first()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await AppUnderTest.StartAsync();
        await SubscribeAsync(app, receiver.Url);
        List<string> ids = [];
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await TellAsync(app, "sync.ended", $"user-{i}"));
            await Task.Delay(5);
        }

        List<string> listed = [];
        string? cursor = null;
        do
        {
            var page = await app.Api.GetFromJsonAsync<JsonElement>("notifications/deliveries?limit=2" + (cursor is null ? "" : $"&cursor={cursor}"));
            listed.AddRange(page.GetProperty("deliveries").EnumerateArray().Select(d => d.GetProperty("messageId").GetString()!));
            cursor = page.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
        }
        while (cursor is not null);
        Assert.Equal(Enumerable.Reverse(ids), listed);
        foreach (var (query, field) in (IEnumerable<(string, string)>)[("status=lost", "status"), ("limit=0", "limit"), ("cursor=..", "cursor"), ("since=1", "since"), ("name=a.b", "name")])
        {
            using var refused = await app.Api.GetAsync(new Uri($"notifications/deliveries?{query}", UriKind.Relative));
            Assert.True((await AppUnderTest.ReadAsync(refused)).GetProperty("errors").TryGetProperty(field, out _));
        }
    }

    [Fact]
    public async Task One_receiver_that_hangs_holds_up_no_other()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var hanging = await Receiver.StartAsync();
        hanging.Answer = async (_, context) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
            return 204;
        };
        await using var app = await AppUnderTest.StartAsync();
        await SubscribeAsync(app, receiver.Url);
        using (var set = await app.Api.PutAsJsonAsync("notifications/subscription?name=hanging", new { url = hanging.Url }))
            Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        for (var i = 0; i < 50; i++)
            await TellAsync(app, "sync.ended", $"user-{i}", "default", "hanging");
        await AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken), told => told.Length == 50);
        Assert.Empty(hanging.Taken);
    }

    /// <summary>Has a notice delivered, as orchestrations do.</summary>
    private static async Task<string> TellAsync(AppUnderTest app, string type, string userId, params string[] receivers)
    {
        var notice = new Notice(Notice.IdFor(DateTimeOffset.UtcNow, Guid.NewGuid()), type, DateTimeOffset.UtcNow, new NoticeData(new(userId)));
        foreach (var name in receivers is [] ? ["default"] : receivers)
            await app.Services.GetRequiredService<DeliveryQueues>().AddAsync(app.Services.GetRequiredService<DurableTaskClient>(), name, notice, default);
        return notice.MessageId;
    }

    /// <summary>Waits until a delivery sleeps: a clock that is moved before it has set its timer moves that, too.</summary>
    private static Task AsleepAsync(AppUnderTest app) => AppUnderTest.WaitForAsync(
        () => CountAsync(app, "turns WHERE instance_id LIKE 'deliver-%' AND events LIKE '%TimerCreated%'"), turns => turns > 0);

    private static async Task<long> CountAsync(AppUnderTest app, string rows)
    {
        await using var journal = new SqliteConnection($"Data Source={Path.Combine(app.State.Path, "journal.db")};Mode=ReadOnly;Pooling=False");
        await journal.OpenAsync();
        await using var command = journal.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM {rows}";
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task<JsonElement> SubscribeAsync(AppUnderTest app, Uri url, object? request = null)
    {
        using var set = await app.Api.PutAsJsonAsync("notifications/subscription", request ?? new { url });
        Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        return await AppUnderTest.ReadAsync(set);
    }

    private static Task ToldAsync(Receiver receiver, string type) =>
        AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken), told => told.Any(message => message.Type == type));

    private static async Task<IReadOnlyList<JsonElement>> DeliveriesAsync(AppUnderTest app, string? status = null) =>
        [.. (await app.Api.GetFromJsonAsync<JsonElement>("notifications/deliveries" + (status is null ? "" : $"?status={status}"))).GetProperty("deliveries").EnumerateArray()];

    private static string Sign(string secret, Receiver.Received message) => "v1," + Convert.ToBase64String(HMACSHA256.HashData(
        Convert.FromBase64String(secret["whsec_".Length..]), Encoding.UTF8.GetBytes($"{message.Id}.{message.Timestamp}.{message.Body}")));

    /// <summary>A clock that can be set, beside the time that passes.</summary>
    private sealed class WallClock(TimeProvider time) : TimeProvider
    {
        public TimeSpan IsSetBackBy { get; set; }

        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow() - IsSetBackBy;

        public override long GetTimestamp() => time.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => time.CreateTimer(callback, state, dueTime, period);
    }
}
