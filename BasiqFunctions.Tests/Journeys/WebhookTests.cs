using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Basiq;
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

        await app.DeleteAsync($"users/{userId}/consents/{consentId}");

        await GoneAsync(app, userId);
        var receipt = Assert.Single(await ListAsync(app, $"users/{userId}/deletion-receipts", "receipts"));
        Assert.Equal("consent-revoked", receipt.GetProperty("reason").GetString());
        Assert.Equal(consentId, receipt.GetProperty("consentId").GetString());
        var deliveries = await AppUnderTest.WaitForAsync(
            () => app.Api.GetFromJsonAsync<JsonElement>("webhooks/basiq/subscription"),
            s => s.GetProperty("deliveries").EnumerateArray().Any(d =>
                d.GetProperty("eventTypeId").GetString() == "consent.revoked"
                && d.GetProperty("attempts").GetInt32() > 0
                && d.TryGetProperty("handling", out var handling)
                && handling.TryGetProperty("outcome", out var outcome)
                && (handling.GetProperty("state").GetString(), outcome.GetString()) is ("done", "removed")
                && handling.GetProperty("tries").GetInt32() > 0));
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
        var client = app.Services.GetRequiredService<DurableTaskClient>();
        var body = """{"eventId":"e1"}""";

        using (var forged = await app.SendWebhookAsync("m1", body, "whsec_AAAA"))
            await AppUnderTest.AssertProblemAsync(forged, HttpStatusCode.Unauthorized, "webhook-refused");
        Assert.Empty(await EventsAsync(client));

        foreach (var id in new[] { "m1", "m1", "m2" })
        {
            using var signed = await app.SendWebhookAsync(id, body);
            Assert.Equal(HttpStatusCode.NoContent, signed.StatusCode);
        }

        using (var foreign = await app.SendWebhookAsync("m3", """{"eventId":"e2","links":{"event":"https://elsewhere.example/events/e2"}}"""))
            Assert.Equal(HttpStatusCode.NoContent, foreign.StatusCode);
        using (var large = await app.SendWebhookAsync("m4", new string('x', 70_000)))
            await AppUnderTest.AssertProblemAsync(large, HttpStatusCode.RequestEntityTooLarge, "body-too-large");
        Assert.Equal(["event-e1"], await EventsAsync(client));
        var shown = (await app.Api.GetFromJsonAsync<JsonElement>("/console/webhooks")).GetProperty("webhooks");
        Assert.Equal(["m1"], shown.EnumerateArray().Select(w => w.GetProperty("webhookId").GetString()));
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
        var taken = await EventsAsync(client);
        await reconciliation.RunAsync(client, default);

        Assert.NotEmpty(taken);
        Assert.Equal(taken, await EventsAsync(client));
        Assert.Single(await ListAsync(app, $"users/{userId}/deletion-receipts", "receipts"));
        Assert.Equal(6, await app.CountAsync("GET /events"));
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
        await basiq.DeleteConsentAsync(new(userId), (await basiq.ListConsentsAsync(new(userId)))[0].Id);
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

    private static async Task<List<string>> EventsAsync(DurableTaskClient client)
    {
        List<string> ids = [];
        await foreach (var instance in client.GetAllInstancesAsync(new OrchestrationQuery { InstanceIdPrefix = "event-" }))
            ids.Add(instance.InstanceId);
        return ids;
    }

    private static async Task<JsonElement[]> ListAsync(AppUnderTest app, string path, string name) =>
        [.. (await app.Api.GetFromJsonAsync<JsonElement>(path)).GetProperty(name).EnumerateArray()];
}
