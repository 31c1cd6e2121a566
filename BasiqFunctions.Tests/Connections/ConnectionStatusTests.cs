using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Removal;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Notifications;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Connections;

/// <summary>Whatever status a connection has, the person is told what to do, and a link leads there.</summary>
[Trait("Category", "Journeys")]
public sealed class ConnectionStatusTests
{
    private const string Bank = "AU90001";

    [Fact]
    public async Task Whoever_left_half_way_goes_on_by_the_link_that_the_next_action_has()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:Webhooks=false", "Sandbox:TransactionsPerAccount=3"]);
        app.Bank = Bank;
        var userId = await app.CreateUserAsync();

        // The bank's page is opened, and left.
        var link = await app.CreateConsentLinkAsync(userId, new { institutionId = Bank });
        Assert.Contains("Log in to Banksia", await app.Api.GetStringAsync(link), StringComparison.Ordinal);
        var left = await ListedAsync(app, userId);
        Assert.Equal("pre-init", Status(left));
        var goesOn = Attention(left, "finish-connecting").GetProperty("continueWith");
        Assert.Equal($$"""{"action":"connect","institutionId":"{{Bank}}"}""", goesOn.GetRawText());

        // A wrong password, and left again.
        Assert.Equal(HttpStatusCode.BadRequest, await LogInAsync(app, link, "wrong"));
        Assert.Equal("init", Status(await ListedAsync(app, userId)));
        using (var refresh = await app.Api.PostAsJsonAsync($"users/{userId}/refresh", new { force = true }))
        {
            var spared = await AppUnderTest.ReadAsync(refresh);
            Assert.Equal((HttpStatusCode.OK, "needs-attention"), (refresh.StatusCode, spared.GetProperty("status").GetString()));
            Assert.Equal(goesOn.GetRawText(), spared.GetProperty("attention")[0].GetProperty("continueWith").GetRawText());
        }

        var back = await app.ConsentAsync(await app.CreateConsentLinkAsync(userId, goesOn), "jared");
        using var started = await app.Api.GetAsync(back);
        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        var sync = await app.WaitForSyncAsync(userId, (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!);

        Assert.Equal(SyncState.Completed, sync.Status);
        var finished = await ListedAsync(app, userId);
        Assert.Equal((left.GetProperty("id").GetString(), "active"), (finished.GetProperty("id").GetString(), Status(finished)));
        Assert.False(finished.TryGetProperty("attention", out _));
        Assert.Equal(0, (await VisitsAsync(app)).GetProperty("background").GetInt64());
    }

    [Fact]
    public async Task A_connection_that_Basiq_gives_as_deleted_is_shown_so_and_a_link_connects_its_bank_anew()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:Webhooks=false", "Sandbox:TransactionsPerAccount=3", "Sandbox:GivesDeletedConnections=true"]);
        app.Bank = Bank;
        var userId = await app.CreateUserAsync();
        var first = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"));
        await DeleteAtBasiqAsync(app, userId, first.Jobs[0].ConnectionId!);

        var deleted = await ListedAsync(app, userId);
        Assert.Equal("deleted", Status(deleted));
        var goesOn = Attention(deleted, "reconnect").GetProperty("continueWith");
        using var refresh = await app.Api.PostAsJsonAsync($"users/{userId}/refresh", new { force = true });
        await AppUnderTest.AssertProblemAsync(refresh, HttpStatusCode.Conflict, "no-connections");

        var back = await app.ConsentAsync(await app.CreateConsentLinkAsync(userId, goesOn), "jared");
        using var started = await app.Api.GetAsync(back);
        await app.WaitForSyncAsync(userId, (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!);
        var listed = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/connections?live=true");
        Assert.Equal(["active", "deleted"], listed.GetProperty("connections").EnumerateArray().Select(Status).Order());
    }

    // No event tells of it: the daily look does.
    [Fact]
    public async Task A_background_refresh_that_fails_for_what_the_person_can_mend_asks_for_attention_by_the_daily_look()
    {
        var clock = StandingClock.New();
        await using var receiver = await Receiver.StartAsync();
        await using var app = await AppUnderTest.StartAsync(
            ["Sandbox:Webhooks=false", "Sandbox:TransactionsPerAccount=3", "Sandbox:TokenLifetime=30.00:00:00", "Sandbox:BackgroundFailure=user-action-required", "Due:SpreadOver=00:00:01"], clock);
        using (var subscribed = await app.Api.PutAsJsonAsync("notifications/subscription", new { url = receiver.Url, events = (string[])["connection.attention"] }))
            Assert.Equal(HttpStatusCode.OK, subscribed.StatusCode);
        var userId = await app.CreateUserAsync();
        var sync = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"), () => clock.Advance(TimeSpan.FromMilliseconds(200)));
        Assert.Equal(SyncState.Completed, sync.Status);
        await app.RestAsync();

        // While Basiq's events tell of the days before, nothing is asked.
        for (var day = 1; receiver.Taken.Length == 0; day++)
        {
            Assert.InRange(day, 1, 5);
            clock.Advance(TimeSpan.FromDays(1));
            using (var refreshed = await app.Sandbox.PostAsync(new Uri($"_sandbox/background-refresh?userId={userId}", UriKind.Relative), null))
                Assert.Equal(HttpStatusCode.Accepted, refreshed.StatusCode);
            var pass = DueOrchestration.InstanceIdFor(clock.GetUtcNow());
            await AppUnderTest.WaitForAsync(
                () => app.Services.GetRequiredService<DurableTaskClient>().GetInstanceAsync(pass),
                found => found is { IsCompleted: true },
                () =>
                {
                    if (app.IsAtRest)
                        clock.Advance(TimeSpan.FromSeconds(1));
                });
            await app.RestAsync();
        }

        var message = Assert.Single(receiver.Taken);
        Assert.Equal(
            (userId, sync.Jobs[0].ConnectionId, "act-at-bank"),
            (message.Data.GetProperty("userId").GetString(), message.Data.GetProperty("connectionId").GetString(), message.Data.GetProperty("nextAction").GetString()));
        Attention(await ListedAsync(app, userId), "act-at-bank");
        Assert.Equal(1, (await VisitsAsync(app)).GetProperty("asked").GetInt32());
    }

    private static string? Status(JsonElement connection) => connection.GetProperty("status").GetString();

    private static JsonElement Attention(JsonElement connection, string nextAction)
    {
        var attention = connection.GetProperty("attention");
        Assert.Equal(nextAction, attention.GetProperty("nextAction").GetString());
        return attention;
    }

    /// <summary>The one connection that the user has.</summary>
    private static async Task<JsonElement> ListedAsync(AppUnderTest app, string userId) =>
        Assert.Single((await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/connections?live=true")).GetProperty("connections").EnumerateArray());

    private static async Task<JsonElement> VisitsAsync(AppUnderTest app) => (await app.StatsAsync()).GetProperty("bankVisits");

    private static async Task<HttpStatusCode> LogInAsync(AppUnderTest app, Uri link, string password)
    {
        using var form = new FormUrlEncodedContent(
        [
            new("token", System.Web.HttpUtility.ParseQueryString(link.Query)["token"]), new("institutionId", Bank), new("loginId", "jared"), new("password", password), new("finish", "1"),
        ]);
        using var page = await app.Api.PostAsync(new Uri(link.GetLeftPart(UriPartial.Path)), form);
        return page.StatusCode;
    }

    private static async Task DeleteAtBasiqAsync(AppUnderTest app, string userId, string connectionId)
    {
        using var mint = new HttpRequestMessage(HttpMethod.Post, new Uri("token", UriKind.Relative)) { Content = new FormUrlEncodedContent([new("scope", "SERVER_ACCESS")]) };
        mint.Headers.TryAddWithoutValidation("Authorization", $"Basic {SandboxOptions.DefaultApiKey}");
        mint.Headers.Add("basiq-version", "3.0");
        using var minted = await app.Sandbox.SendAsync(mint);
        using var delete = new HttpRequestMessage(HttpMethod.Delete, new Uri($"users/{userId}/connections/{connectionId}", UriKind.Relative));
        delete.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await AppUnderTest.ReadAsync(minted)).GetProperty("access_token").GetString());
        using var deleted = await app.Sandbox.SendAsync(delete);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
    }
}
