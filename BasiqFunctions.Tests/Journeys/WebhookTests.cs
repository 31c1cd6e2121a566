using System.Net;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Basiq;
using BasiqFunctions.Storage;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Webhooks;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>Webhooks from the subscription to what they bring about, through LocalHost and the sandbox.</summary>
[Trait("Category", "Journeys")]
public sealed class WebhookTests
{
    [Fact]
    public async Task A_consent_that_is_revoked_at_Basiq_takes_the_data_along_within_seconds()
    {
        await using var app = await AppUnderTest.StartAsync();
        await app.SubscribeAsync();
        var userId = await SyncedUserAsync(app);
        var consentId = (await ListAsync(app, $"users/{userId}/consents", "consents"))[0].GetProperty("id").GetString();

        using (var revoked = await app.Api.DeleteAsync(new Uri($"users/{userId}/consents/{consentId}", UriKind.Relative)))
            Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);

        await GoneAsync(app, userId);
        var receipt = Assert.Single(await ListAsync(app, $"users/{userId}/deletion-receipts", "receipts"));
        Assert.Equal("consent-revoked", receipt.GetProperty("reason").GetString());
        Assert.Equal(consentId, receipt.GetProperty("consentId").GetString());
        var deliveries = await AppUnderTest.WaitForAsync(
            () => app.Api.GetFromJsonAsync<JsonElement>("webhooks/basiq/subscription"),
            s => s.GetProperty("deliveries").EnumerateArray().Any(d =>
                d.GetProperty("eventTypeId").GetString() == "consent.revoked" && d.GetProperty("attempts").GetInt32() > 0));
        Assert.DoesNotContain("whsec", deliveries.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_forged_leaves_nothing_and_what_comes_twice_is_taken_once()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:Webhooks=false"]);
        using (var early = await app.SendWebhookAsync("m0", """{"eventId":"e"}""", "whsec_AAAA"))
            await AppUnderTest.AssertProblemAsync(early, HttpStatusCode.Unauthorized, "webhook-refused");
        using (var none = await app.Api.GetAsync(new Uri("webhooks/basiq/subscription", UriKind.Relative)))
            await AppUnderTest.AssertProblemAsync(none, HttpStatusCode.NotFound, "subscription-not-found");
        await app.SubscribeAsync();
        var table = app.Services.GetRequiredKeyedService<IRecordTable>("Webhooks");
        var body = """{"eventId":"e1"}""";

        using (var forged = await app.SendWebhookAsync("m1", body, "whsec_AAAA"))
            await AppUnderTest.AssertProblemAsync(forged, HttpStatusCode.Unauthorized, "webhook-refused");
        Assert.Empty(await table.ListAsync("message", 10, null, default));
        Assert.Empty(await table.ListAsync("event", 10, null, default));

        foreach (var id in new[] { "m1", "m1", "m2" })
        {
            using var signed = await app.SendWebhookAsync(id, body);
            Assert.Equal(HttpStatusCode.NoContent, signed.StatusCode);
        }

        using (var foreign = await app.SendWebhookAsync("m3", """{"eventId":"e2","links":{"event":"https://elsewhere.example/events/e2"}}"""))
            Assert.Equal(HttpStatusCode.NoContent, foreign.StatusCode);
        using (var large = await app.SendWebhookAsync("m4", new string('x', 70_000)))
            await AppUnderTest.AssertProblemAsync(large, HttpStatusCode.RequestEntityTooLarge, "body-too-large");
        Assert.Equal(["e1"], (await table.ListAsync("event", 10, null, default)).Select(r => r.Row));
        Assert.Equal(2, (await table.ListAsync("message", 10, null, default)).Count);
        Assert.Empty(await table.ListAsync("pending", 10, null, default));
    }

    [Fact]
    public async Task A_rotated_secret_is_taken_up_and_the_one_before_is_taken_for_a_while()
    {
        var clock = StandingClock.New();
        await using var app = await AppUnderTest.StartAsync(["Sandbox:Webhooks=false"], clock);
        await app.SubscribeAsync();
        var vault = app.Services.GetRequiredService<SecretClient>();
        var old = (await vault.GetSecretAsync("basiq-webhook-secret")).Value.Value;
        const string Fresh = "whsec_bmV3IHNlY3JldCBvZiB0aGlzIHRlc3QgaGVyZQ==";
        clock.Advance(TimeSpan.FromSeconds(20));
        await vault.SetSecretAsync("basiq-webhook-secret", Fresh);

        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync("m1", Fresh));
        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync("m2", old));
        clock.Advance(new WebhookOptions().SecretOverlap + TimeSpan.FromMinutes(6));
        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync("m3", Fresh));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("m4", old));

        async Task<HttpStatusCode> StatusAsync(string id, string secret)
        {
            using var answer = await app.SendWebhookAsync(id, """{"eventId":"e1"}""", secret);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task Without_webhooks_the_daily_look_at_the_events_loses_nothing_and_does_nothing_twice()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:Webhooks=false"]);
        var userId = await SyncedUserAsync(app);
        await RevokeAtBasiqAsync(app, userId);
        var reconciliation = app.Services.GetRequiredService<EventReconciliation>();
        var client = app.Services.GetRequiredService<DurableTaskClient>();

        await reconciliation.RunAsync(client, default);
        await GoneAsync(app, userId);
        var taken = await app.Services.GetRequiredKeyedService<IRecordTable>("Webhooks").ListAsync("event", 100, null, default);
        await reconciliation.RunAsync(client, default);

        Assert.NotEmpty(taken);
        Assert.Single(await ListAsync(app, $"users/{userId}/deletion-receipts", "receipts"));
        foreach (var record in taken)
            Assert.NotNull(await client.GetInstanceAsync($"event-{record.Row}"));
    }

    [Fact]
    public async Task An_event_that_could_not_be_handled_is_brought_back_once_by_the_daily_look_at_the_events()
    {
        await using var app = await AppUnderTest.StartAsync(
            ["Sandbox:Webhooks=false"], configure: services => services.AddSingleton(provider => Misread.Once(provider)));
        var userId = await SyncedUserAsync(app);
        await RevokeAtBasiqAsync(app, userId);
        var client = app.Services.GetRequiredService<DurableTaskClient>();
        var basiq = app.Services.GetRequiredService<IBasiqClient>();
        var happened = (await basiq.ListEventsAsync()).Events.Single(e => e.TypeId == "consent.revoked");
        await app.Services.GetRequiredService<EventIntake>().TakeAsync(client, new EventInput(happened.Id, "message-7"), default);
        var first = await AppUnderTest.WaitForAsync(
            () => client.GetInstanceAsync($"event-{happened.Id}", getInputsAndOutputs: true), i => i is { IsCompleted: true });
        Assert.Null(first!.SerializedOutput);

        var reconciliation = app.Services.GetRequiredService<EventReconciliation>();
        await reconciliation.RunAsync(client, default);
        await GoneAsync(app, userId);
        await AppUnderTest.WaitForAsync(() => client.GetInstanceAsync($"event-{happened.Id}"), i => i is { IsCompleted: true });
        await reconciliation.RunAsync(client, default);

        Assert.Single(await ListAsync(app, $"users/{userId}/deletion-receipts", "receipts"));
        Assert.Equal(1, app.Logs.Lines.Count(line => line.Contains($"Event {happened.Id} (consent.revoked): removed", StringComparison.Ordinal)));
        Assert.Empty(await app.Services.GetRequiredKeyedService<IRecordTable>("Webhooks").ListAsync("given-up", 10, null, default));
    }

    [Fact]
    public async Task An_event_that_was_written_down_when_the_host_died_is_acted_on_once_after_the_start()
    {
        using var state = new TemporaryDirectory();
        string userId;
        await using (var app = await AppUnderTest.StartAsync(["Sandbox:Webhooks=false"], state: state))
        {
            userId = await SyncedUserAsync(app);
            await RevokeAtBasiqAsync(app, userId);
            var basiq = app.Services.GetRequiredService<IBasiqClient>();
            var happened = (await basiq.ListEventsAsync()).Events.Single(e => e.TypeId == "consent.revoked");

            // As far as a webhook gets before its orchestration is scheduled.
            await app.Services.GetRequiredKeyedService<IRecordTable>("Webhooks").TryAddAsync(
                new TableRecord("pending", happened.Id, System.Text.Encoding.ASCII.GetBytes("message-7")), default);
        }

        await using var again = await AppUnderTest.StartAsync(["Sandbox:Webhooks=false"], state: state);
        var client = again.Services.GetRequiredService<DurableTaskClient>();
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => new RetakeEvents(again.Services.GetRequiredService<EventIntake>()).Run(null!, client, default)));

        await GoneAsync(again, userId);
        Assert.Single(await ListAsync(again, $"users/{userId}/deletion-receipts", "receipts"));
        Assert.Empty(await again.Services.GetRequiredKeyedService<IRecordTable>("Webhooks").ListAsync("pending", 10, null, default));
        var shown = await again.Api.GetFromJsonAsync<JsonElement>("/console/webhooks");
        Assert.Contains(shown.GetProperty("webhooks").EnumerateArray(), w => w.GetProperty("webhookId").GetString() == "message-7");
    }

    [Theory]
    [InlineData("http://app.example/api/webhooks/basiq")]
    [InlineData("nonsense")]
    [InlineData("https://user@app.example/")]
    public async Task A_url_that_is_not_https_is_refused(string url)
    {
        await using var app = await AppUnderTest.StartAsync();
        using var answer = await app.Api.PutAsJsonAsync("webhooks/basiq/subscription", new { url });
        var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-input");
        Assert.True(problem.GetProperty("errors").TryGetProperty("url", out _));
    }

    private static async Task<string> SyncedUserAsync(AppUnderTest app)
    {
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "Whistler"));
        return userId;
    }

    private static async Task RevokeAtBasiqAsync(AppUnderTest app, string userId)
    {
        var basiq = app.Services.GetRequiredService<IBasiqClient>();
        await basiq.DeleteConsentAsync(userId, (await basiq.ListConsentsAsync(userId))[0].Id);
    }

    /// <summary>Waits until the data is gone, and then until the receipt says that all of it is.</summary>
    private static async Task GoneAsync(AppUnderTest app, string userId)
    {
        await AppUnderTest.WaitForAsync(
            async () =>
            {
                using var answer = await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
                return await answer.Content.ReadAsStringAsync();
            },
            body => body.Contains("consent-ended", StringComparison.Ordinal));
        await AppUnderTest.WaitForAsync(() => ListAsync(app, $"users/{userId}/deletion-receipts", "receipts"), receipts => receipts.Length > 0);
    }

    private static async Task<JsonElement[]> ListAsync(AppUnderTest app, string path, string name) =>
        [.. (await app.Api.GetFromJsonAsync<JsonElement>(path)).GetProperty(name).EnumerateArray()];

    /// <summary>Basiq's client that finds an event of an unexpected shape the first time that it is asked for one.</summary>
    public class Misread : DispatchProxy
    {
        private IBasiqClient _basiq = null!;
        private int _asked;

        public static IBasiqClient Once(IServiceProvider services)
        {
            var misread = Create<IBasiqClient, Misread>();
            ((Misread)misread)._basiq = services.GetRequiredService<BasiqClient>();
            return misread;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == nameof(IBasiqClient.GetEventAsync) && Interlocked.Increment(ref _asked) == 1
                ? Task.FromException<BasiqEvent>(new BasiqException(new BasiqFailure(BasiqFailureKind.UnusableAnswer, "unexpected-shape")))
                : targetMethod.Invoke(_basiq, args);
    }
}
