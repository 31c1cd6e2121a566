using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed class WebhookTests : IDisposable
{
    private const string Webhooks = "/notifications/webhooks";

    private readonly string _folder = Directory.CreateTempSubdirectory("sandbox-webhooks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_message_is_signed_with_the_secret_that_only_its_creation_shows()
    {
        await using var host = await SandboxHost.StartAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var webhook = await Subscribe(host, receiver);
        var secret = webhook.GetProperty("secret").GetString()!;
        Assert.False((await host.Get($"{Webhooks}/{Id(webhook)}")).TryGetProperty("secret", out _));
        Assert.False((await host.Get(Webhooks)).GetProperty("data")[0].TryGetProperty("secret", out _));

        var userId = await host.CreateUser();
        var delivery = await receiver.WaitFor(1);

        Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);
        Assert.Equal(SandboxHost.Start.ToUnixTimeSeconds().ToString(null, null), delivery.Timestamp);
        var expected = HMACSHA256.HashData(
            Convert.FromBase64String(secret["whsec_".Length..]), Encoding.UTF8.GetBytes($"{delivery.Id}.{delivery.Timestamp}.{delivery.Body}"));
        Assert.Equal("v1," + Convert.ToBase64String(expected), delivery.Signature);
        using var body = JsonDocument.Parse(delivery.Body);
        Assert.Equal("user.created", body.RootElement.GetProperty("eventTypeId").GetString());
        var links = body.RootElement.GetProperty("links");
        Assert.Equal($"{host.BaseUrl}/users/{userId}", links.GetProperty("eventEntity").GetString());
        var happened = await host.Get(links.GetProperty("event").GetString()!);
        Assert.Equal(userId, happened.GetProperty("userId").GetString());
        Assert.Equal("created", happened.GetProperty("eventType").GetString());
    }

    [Theory]
    [InlineData("event.entity.eq('user')", "user.created user.created")]
    [InlineData("event.entity.eq('user'),event.type.eq('deleted')", "")]
    [InlineData("event.entity.eq('consent')", "consent.created")]
    [InlineData("event.entity.eq('connection')", "connection.activated connection.created")]
    public async Task Events_are_listed_by_the_entity_that_they_are_about(string filter, string types)
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        await host.CreateUser();
        await host.UserWithBank();

        var events = (await host.Get("/events?filter=" + Uri.EscapeDataString(filter))).GetProperty("data").EnumerateArray();

        Assert.Equal(types, string.Join(' ', events.Select(e => $"{e.GetProperty("entity").GetString()}.{e.GetProperty("eventType").GetString()}")));
        await host.Error(HttpMethod.Get, "/events?filter=event.entity(consent)", HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_subscription_gets_the_kinds_it_asked_for_alone_and_no_kind_goes_to_two()
    {
        await using var host = await SandboxHost.StartAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var other = await WebhookReceiver.StartAsync();
        await Subscribe(host, receiver, "user.deleted");
        await Subscribe(host, other, "user.created", "user.updated");
        var taken = await host.Error(
            HttpMethod.Post, Webhooks, HttpStatusCode.BadRequest, new { url = "http://127.0.0.1:1/", subscribedEvents = (string[])["user.updated"] });
        Assert.Equal("event-already-subscribed", taken.GetProperty("code").GetString());
        var unknown = await host.Error(
            HttpMethod.Post, Webhooks, HttpStatusCode.BadRequest, new { url = "http://127.0.0.1:1/", subscribedEvents = (string[])["user.moved"] });
        Assert.Contains("unsupported", unknown.GetProperty("detail").GetString(), StringComparison.Ordinal);

        var userId = await host.CreateUser();
        await host.Send(HttpMethod.Delete, $"/users/{userId}", HttpStatusCode.NoContent);
        Assert.Equal("user.deleted", (await receiver.WaitFor(1)).TypeId);
        Assert.Equal("user.created", (await other.WaitFor(1)).TypeId);
    }

    [Fact]
    public async Task A_delivery_that_fails_is_repeated_by_Basiqs_schedule_and_then_the_endpoint_is_disabled()
    {
        await using var host = await SandboxHost.StartAsync(o => o.TokenLifetime = TimeSpan.FromDays(30));
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var other = await WebhookReceiver.StartAsync();
        var webhook = await Subscribe(host, receiver, "user.created");
        await Subscribe(host, other, "user.deleted");
        var messages = $"{Webhooks}/{Id(webhook)}/messages";
        receiver.Status = 500;
        await host.CreateUser();
        var first = await receiver.WaitFor(1);

        double[] waits = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
        for (var retry = 0; retry < waits.Length; retry++)
        {
            await Until(host, messages, m => m.GetProperty("attempts").GetArrayLength() == retry + 1);
            host.Clock.Advance(TimeSpan.FromSeconds(waits[retry] - 1));
            Assert.Equal(retry + 1, receiver.Deliveries.Count);
            host.Clock.Advance(TimeSpan.FromSeconds(1));
            var again = await receiver.WaitFor(retry + 2);
            Assert.Equal(first.Id, again.Id);
            Assert.Equal(first.Body, again.Body);
            Assert.Equal(waits[retry], double.Parse(again.Timestamp, null) - double.Parse(receiver.Deliveries.ElementAt(retry).Timestamp, null));
        }

        var message = await Until(host, messages, m => m.GetProperty("attempts").GetArrayLength() == 8);
        Assert.All(message.GetProperty("attempts").EnumerateArray(), a => Assert.Equal("Failed", a.GetProperty("status").GetString()));
        Assert.Equal("pending-approval", (await host.Get($"{Webhooks}/{Id(webhook)}")).GetProperty("status").GetString());

        receiver.Status = 200;
        var userId = await host.CreateUser();
        host.Clock.Advance(TimeSpan.FromHours(1));

        // When what is told later to another has come, so would this.
        await host.Send(HttpMethod.Delete, $"/users/{userId}", HttpStatusCode.NoContent);
        await other.WaitFor(1);
        Assert.Equal(8, receiver.Deliveries.Count);
        var enabled = await host.Send(
            HttpMethod.Post, $"{Webhooks}/{Id(webhook)}", HttpStatusCode.OK, new { url = receiver.Url, subscribedEvents = (string[])["user.created"] });
        Assert.Equal("active", enabled.GetProperty("status").GetString());
        Assert.Equal(webhook.GetProperty("secret").GetString(), enabled.GetProperty("secret").GetString());
    }

    [Fact]
    public async Task The_waits_are_as_short_as_the_knob_makes_them_and_an_endpoint_that_comes_back_gets_the_message()
    {
        await using var host = await SandboxHost.StartAsync(o => o.WebhookRetryScale = 0.01);
        await using var receiver = await WebhookReceiver.StartAsync();
        var webhook = await Subscribe(host, receiver, "user.created");
        receiver.Status = 503;
        await host.CreateUser();
        await receiver.WaitFor(1);
        await Until(host, $"{Webhooks}/{Id(webhook)}/messages", m => m.GetProperty("attempts").GetArrayLength() == 1);
        receiver.Status = 204;
        host.Clock.Advance(TimeSpan.FromMilliseconds(50));
        await receiver.WaitFor(2);
        var message = await Until(host, $"{Webhooks}/{Id(webhook)}/messages", m => m.GetProperty("attempts").GetArrayLength() == 2);
        Assert.Equal("Success", message.GetProperty("attempts")[0].GetProperty("status").GetString());
        Assert.Equal(204, message.GetProperty("attempts")[0].GetProperty("responseStatusCode").GetInt32());
        var failed = await host.Get($"{Webhooks}/{Id(webhook)}/messages?filter=status.eq('Failed')&limit=1");
        Assert.Equal(0, failed.GetProperty("size").GetInt32());
    }

    [Fact]
    public async Task A_delivery_that_is_under_way_goes_on_after_a_restart()
    {
        var file = Path.Combine(_folder, "sandbox.jsonl");
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Status = 500;
        string server, messages;
        WebhookReceiver.Delivery first;
        await using (var host = await SandboxHost.StartAsync(o => o.StateFile = file))
        {
            messages = $"{Webhooks}/{Id(await Subscribe(host, receiver, "user.created"))}/messages";
            server = host.Http.DefaultRequestHeaders.Authorization!.Parameter!;
            await host.CreateUser();
            first = await receiver.WaitFor(1);
            await Until(host, messages, m => m.GetProperty("attempts").GetArrayLength() == 1);
        }

        await using var again = await SandboxHost.StartAsync(o => o.StateFile = file);
        again.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server);
        receiver.Status = 200;
        again.Clock.Advance(TimeSpan.FromSeconds(5));
        var second = await receiver.WaitFor(2);
        Assert.Equal((first.Id, first.Body), (second.Id, second.Body));
        await Until(again, messages, m => m.GetProperty("attempts").GetArrayLength() == 2);
        Assert.Equal(1, (await again.Get(messages)).GetProperty("size").GetInt32());
    }

    [Fact]
    public async Task What_happens_while_webhooks_are_off_is_in_the_events_alone()
    {
        await using var host = await SandboxHost.StartAsync(o => o.Webhooks = false);
        await using var receiver = await WebhookReceiver.StartAsync();
        var webhook = await Subscribe(host, receiver, "user.created");
        var silent = await host.CreateUser();
        await host.SetOptions(new { webhooks = true });
        var told = await host.CreateUser();
        Assert.Contains(told, (await receiver.WaitFor(1)).Body, StringComparison.Ordinal);
        Assert.Equal(1, (await host.Get($"{Webhooks}/{Id(webhook)}/messages")).GetProperty("size").GetInt32());
        Assert.Single(await Events(host, $"user.id.eq('{silent}')"));
    }

    [Fact]
    public async Task A_test_message_repeats_its_text_and_names_an_event_that_is_not_to_be_found()
    {
        await using var host = await SandboxHost.StartAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        await host.SignIn();
        var nobody = await host.Error(
            HttpMethod.Post, "/notifications/messages/test", HttpStatusCode.BadRequest, new { eventTypeId = "consent.revoked" });
        Assert.Equal("no-webhooks-found", nobody.GetProperty("code").GetString());
        await Subscribe(host, receiver);
        await host.Send(
            HttpMethod.Post,
            "/notifications/messages/test",
            HttpStatusCode.Created,
            new Dictionary<string, string> { ["eventTypeId"] = "consent.revoked", ["Text"] = "hello" });
        using var body = JsonDocument.Parse((await receiver.WaitFor(1)).Body);
        Assert.Equal("hello", body.RootElement.GetProperty("text").GetString());
        await host.Error(HttpMethod.Get, body.RootElement.GetProperty("links").GetProperty("event").GetString()!, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_deleted_subscription_gets_nothing_more()
    {
        await using var host = await SandboxHost.StartAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var heir = await WebhookReceiver.StartAsync();
        var webhook = await Subscribe(host, receiver);
        await host.Send(HttpMethod.Delete, $"{Webhooks}/{Id(webhook)}", HttpStatusCode.NoContent);
        await Subscribe(host, heir);
        await host.CreateUser();
        await heir.WaitFor(1);
        Assert.Empty(receiver.Deliveries);
    }

    [Fact]
    public async Task Events_are_raised_where_they_happen_and_kept_for_seven_days()
    {
        await using var host = await SandboxHost.StartAsync(o => o.TokenLifetime = TimeSpan.FromDays(300));
        var userId = await host.UserWithBank();
        string[] expected =
        [
            "transactions.updated", "account.updated", "connection.activated", "connection.created", "consent.created", "user.created",
        ];
        Assert.Equal(expected.Order(), (await Events(host)).Order());
        Assert.Equal(["transactions.updated"], await Events(host, "event.entity.eq('transactions')"));
        var connection = (await host.Get($"/users/{userId}/connections")).GetProperty("data")[0].GetProperty("id").GetString();
        await host.Send(HttpMethod.Post, $"/users/{userId}/connections/{connection}/refresh", HttpStatusCode.Accepted);
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(8, (await Events(host)).Length);
        await host.Send(HttpMethod.Delete, $"/users/{userId}/connections/{connection}", HttpStatusCode.NoContent);
        Assert.Equal(["connection.deleted"], await Events(host, "event.type.eq('deleted')"));

        host.Clock.Advance(TimeSpan.FromDays(7));
        Assert.Empty(await Events(host));
        await host.Send(HttpMethod.Delete, $"/users/{userId}", HttpStatusCode.NoContent);
        Assert.Equal(["user.deleted"], await Events(host));
    }

    [Fact]
    public async Task Events_of_a_bank_have_the_shapes_of_the_guide()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var events = (await host.Get("/events")).GetProperty("data").EnumerateArray().ToDictionary(
            e => $"{e.GetProperty("entity").GetString()}.{e.GetProperty("eventType").GetString()}");
        var connection = (await host.Get($"/users/{userId}/connections")).GetProperty("data")[0].GetProperty("id").GetString();

        var transactions = events["transactions.updated"];
        Assert.EndsWith($"/users/{userId}/transactions", transactions.GetProperty("dataRef").GetString(), StringComparison.Ordinal);
        Assert.Equal(connection, transactions.GetProperty("data").GetProperty("connection").GetProperty("id").GetString());
        Assert.True(int.Parse(transactions.GetProperty("data").GetProperty("count").GetString()!, CultureInfo.InvariantCulture) > 0);
        Assert.False(transactions.GetProperty("data").TryGetProperty("id", out _));

        var account = events["account.updated"];
        var accountId = account.GetProperty("data").GetProperty("id").GetString();
        Assert.EndsWith($"/users/{userId}/accounts/{accountId}", account.GetProperty("dataRef").GetString(), StringComparison.Ordinal);
        Assert.Equal(connection, account.GetProperty("data").GetProperty("connection").GetProperty("id").GetString());
        Assert.Equal(connection, (await host.Get($"/users/{userId}/accounts/{accountId}")).GetProperty("connection").GetString());

        var activated = events["connection.activated"];
        Assert.EndsWith($"/users/{userId}/connections/{connection}", activated.GetProperty("dataRef").GetString(), StringComparison.Ordinal);
        Assert.Equal(connection, activated.GetProperty("data").GetProperty("id").GetString());
        Assert.All(events.Values, e => Assert.Equal(
            ["type", "id", "createdDate", "entity", "eventType", "userId", "dataRef", "data", "links"], e.EnumerateObject().Select(p => p.Name)));
    }

    [Fact]
    public async Task A_bank_that_refuses_the_log_in_invalidates_its_connection()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.UserWithBank("bighead");
        Assert.Equal(["connection.invalidated"], await Events(host, "event.type.ne('created')"));
    }

    [Fact]
    public async Task A_consent_warns_of_its_end_then_expires_and_its_connections_with_it()
    {
        await using var host = await SandboxHost.StartAsync(
            o => (o.TokenLifetime, o.ConsentLifetime, o.ConsentWarning) = (TimeSpan.FromDays(300), TimeSpan.FromDays(30), TimeSpan.FromDays(5)));
        await using var receiver = await WebhookReceiver.StartAsync();
        var userId = await host.UserWithBank();
        await Subscribe(host, receiver, "consent.warning", "consent.expired", "connection.invalidated");

        host.Clock.Advance(TimeSpan.FromDays(25));
        Assert.Equal("consent.warning", (await receiver.WaitFor(1)).TypeId);
        Assert.Equal("active", (await host.Get($"/users/{userId}/connections")).GetProperty("data")[0].GetProperty("status").GetString());
        host.Clock.Advance(TimeSpan.FromDays(5));
        await receiver.WaitFor(3);
        Assert.Equal(
            ["connection.invalidated", "consent.expired", "consent.warning"], receiver.Deliveries.Select(d => d.TypeId).Order());
        Assert.Equal("expired", (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("status").GetString());
        var connection = (await host.Get($"/users/{userId}/connections")).GetProperty("data")[0];
        Assert.Equal("invalid", connection.GetProperty("status").GetString());
        var job = await host.Send(
            HttpMethod.Post, $"/users/{userId}/connections/{connection.GetProperty("id").GetString()}/refresh", HttpStatusCode.Accepted);
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        var steps = (await host.Get(job.GetProperty("links").GetProperty("self").GetString()!)).GetProperty("steps");
        Assert.Equal("authorization-failed", steps[0].GetProperty("result").GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_consent_that_expires_while_the_sandbox_is_down_is_told_of_at_the_next_start_once()
    {
        var file = Path.Combine(_folder, "sandbox.jsonl");
        await using var receiver = await WebhookReceiver.StartAsync();
        string server;
        await using (var host = await SandboxHost.StartAsync(
            o => (o.StateFile, o.ConsentLifetime, o.TokenLifetime) = (file, TimeSpan.FromDays(2), TimeSpan.FromDays(30))))
        {
            await host.UserWithBank();
            await Subscribe(host, receiver, "consent.expired");
            server = host.Http.DefaultRequestHeaders.Authorization!.Parameter!;
        }

        for (var start = 0; start < 2; start++)
        {
            var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(SandboxHost.Start.AddDays(4));
            await using var again = await SandboxHost.StartAsync(o => o.StateFile = file, clock);
            again.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server);
            await receiver.WaitFor(1);
            Assert.Equal(["consent.expired"], await Events(again, "event.type.eq('consent.expired')"));
        }

        Assert.Single(receiver.Deliveries.Select(d => d.Id).Distinct());
    }

    private static async Task<JsonElement> Subscribe(SandboxHost host, WebhookReceiver receiver, params string[] events)
    {
        if (host.Http.DefaultRequestHeaders.Authorization is null)
            await host.SignIn();
        return await host.Send(HttpMethod.Post, Webhooks, HttpStatusCode.Created, new { url = receiver.Url, subscribedEvents = events });
    }

    private static async Task<string[]> Events(SandboxHost host, string filter = "")
    {
        var events = await host.Get($"/events?filter={Uri.EscapeDataString(filter)}");
        return
        [
            .. events.GetProperty("data").EnumerateArray()
                .Select(e => $"{e.GetProperty("entity").GetString()}.{e.GetProperty("eventType").GetString()}"),
        ];
    }

    /// <summary>What came of an attempt is recorded after the receiver has answered.</summary>
    private static async Task<JsonElement> Until(SandboxHost host, string messages, Func<JsonElement, bool> holds)
    {
        for (var i = 0; i < 10_000; i++)
        {
            var message = (await host.Get(messages)).GetProperty("data")[0];
            if (holds(message))
                return message;
            await Task.Delay(10);
        }

        throw new Xunit.Sdk.XunitException("The message did not come to be as expected.");
    }

    private static string Id(JsonElement resource) => resource.GetProperty("id").GetString()!;
}
