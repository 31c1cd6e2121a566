using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Web;
using BasiqFunctions.Consents;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>Data goes when the consent goes, whoever ends it and whoever tells.</summary>
[Trait("Category", "Journeys")]
public sealed class ConsentLifeTests
{
    [Fact]
    public async Task Consents_are_listed_as_Basiq_sent_them_and_beside_them_how_they_stand()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await UserWithDataAsync(app);
        var sent = await FromSandboxAsync(app, userId);
        await app.Services.GetRequiredService<ConsentWarnings>().NoteAsync(
            new(userId), Id(sent[0]), new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), default);

        var listed = await ConsentsAsync(app, userId);

        Assert.Equal(sent[0].GetRawText(), Assert.Single(listed.GetProperty("consents").EnumerateArray()).GetRawText());
        var standing = Assert.Single(listed.GetProperty("standings").EnumerateArray());
        Assert.Equal((Id(sent[0]), "active"), (standing.GetProperty("consentId").GetString(), standing.GetProperty("status").GetString()));
        Assert.Equal(sent[0].GetProperty("expiryDate").GetDateTimeOffset(), standing.GetProperty("endsAt").GetDateTimeOffset());
        Assert.Equal(2026, standing.GetProperty("warnedAt").GetDateTimeOffset().Year);
        using var unknown = await app.Api.GetAsync(new Uri("users/nobody/consents", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(unknown, HttpStatusCode.NotFound, "user-not-found");
    }

    [Fact]
    public async Task Revoking_here_revokes_at_Basiq_and_removes_the_data_and_may_be_repeated()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await UserWithDataAsync(app);
        var consentId = Id((await FromSandboxAsync(app, userId))[0]);
        using var unknown = await app.Api.DeleteAsync(new Uri($"users/{userId}/consents/none", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(unknown, HttpStatusCode.NotFound, "consent-not-found");
        using var nobody = await app.Api.DeleteAsync(new Uri($"users/nobody/consents/{consentId}", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(nobody, HttpStatusCode.NotFound, "user-not-found");

        for (var i = 0; i < 2; i++)
        {
            await app.DeleteAsync($"users/{userId}/consents/{consentId}");
            await AssertGoneAsync(app, userId, "consent-revoked", consentId);
        }

        Assert.Equal("revoked", (await ConsentsAsync(app, userId)).GetProperty("standings")[0].GetProperty("status").GetString());

        // A new consent and a new sync: there is data again.
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"));
        using var accounts = await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, accounts.StatusCode);
    }

    [Fact]
    public async Task Jobs_that_are_synced_again_after_the_consent_ended_bring_nothing_back()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();
        var jobIds = await app.ConnectAsync(userId, "jared");
        Assert.Equal(SyncState.Completed, (await SyncAsync()).Status);
        var consentId = Id((await FromSandboxAsync(app, userId))[0]);
        await app.DeleteAsync($"users/{userId}/consents/{consentId}");

        var again = await SyncAsync();

        Assert.Equal((SyncState.Failed, "consent-ended"), (again.Status, again.Error?.Code));
        Assert.Equal(0, again.Transactions);
        await AssertGoneAsync(app, userId, "consent-revoked", consentId);

        async Task<SyncAnswer> SyncAsync()
        {
            using var started = await app.Api.PostAsJsonAsync($"users/{userId}/syncs", new { jobIds });
            Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
            return await app.WaitForSyncAsync(userId, (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!);
        }
    }

    [Fact]
    public async Task Late_news_of_a_job_bring_nothing_back_that_went_with_the_consent()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:JobDuration=00:00:03"]);
        await app.SubscribeAsync();
        var userId = await app.CreateUserAsync();
        await app.ConsentAndReturnAsync(userId, "jared");
        var consentId = Id((await FromSandboxAsync(app, userId))[0]);
        await Task.Delay(TimeSpan.FromSeconds(1.2));
        await app.DeleteAsync($"users/{userId}/consents/{consentId}");

        // The job goes on at the bank, and Basiq tells of it.
        await AppUnderTest.WaitForAsync(
            () => app.Api.GetFromJsonAsync<JsonElement>("/console/webhooks"),
            shown => shown.GetProperty("webhooks").EnumerateArray().Any(w =>
                w.GetRawText().Contains("transactions.updated", StringComparison.Ordinal)
                && w.TryGetProperty("outcome", out _)));
        await foreach (var sync in app.Services.GetRequiredService<DurableTaskClient>().GetAllInstancesAsync(
            new OrchestrationQuery(InstanceIdPrefix: SyncIds.PrefixFor(new(userId)))))
        {
            Assert.Contains((await app.WaitForSyncAsync(userId, sync.InstanceId)).Status, new[] { SyncState.Failed, SyncState.Cancelled });
        }

        using var accounts = await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(accounts, HttpStatusCode.NotFound, "consent-ended");
        Assert.Empty(await FilesOfAsync(app, userId));
    }

    [Fact]
    public async Task A_consent_given_before_the_end_of_another_was_noticed_keeps_nothing_of_what_that_covered()
    {
        var clock = StandingClock.New();
        await using var app = await AppUnderTest.StartAsync(["Sandbox:Webhooks=false", "Sandbox:JobDuration=00:00:00"], clock);
        void Later() => clock.Advance(TimeSpan.FromMilliseconds(100));
        var userId = await UserWithDataAsync(app, Later);
        var old = Assert.Single(await ConnectionsAsync(app, userId));
        var consentId = Id((await FromSandboxAsync(app, userId))[0]);
        await RevokeOnManagePageAsync(app, userId, consentId);
        clock.Advance(TimeSpan.FromSeconds(10));
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "Whistler"), Later);
        Assert.Equal(2, (await ConnectionsAsync(app, userId)).Length);

        clock.Advance(TimeSpan.FromDays(1));

        var receipt = Assert.Single(await AppUnderTest.WaitForAsync(() => ReceiptsAsync(app, userId), receipts => receipts.Count > 0, Later));
        Assert.NotEqual(old, Assert.Single(await ConnectionsAsync(app, userId)));
        Assert.Equal(
            ("consent-revoked", consentId, old),
            (receipt.GetProperty("reason").GetString(), receipt.GetProperty("consentId").GetString(), receipt.GetProperty("connectionId").GetString()));
    }

    [Fact]
    public async Task Data_whose_consent_has_expired_is_gone_at_the_next_daily_run()
    {
        var clock = StandingClock.New();
        await using var app = await AppUnderTest.StartAsync(
            ["Sandbox:Webhooks=false", "Sandbox:JobDuration=00:00:00", "Sandbox:ConsentLifetime=10.00:00:00"], clock);
        var userId = await UserWithDataAsync(app, () => clock.Advance(TimeSpan.FromMilliseconds(100)));
        var consentId = Id((await FromSandboxAsync(app, userId))[0]);
        clock.Advance(TimeSpan.FromDays(11));
        await WaitForGoneAsync(app, userId, () => clock.Advance(TimeSpan.FromMilliseconds(100)));
        await AssertGoneAsync(app, userId, "consent-expired", consentId);
    }

    [Fact]
    public async Task Data_that_is_too_old_goes_whatever_the_consent_says_and_who_fails_keeps_nobody_waiting()
    {
        var clock = StandingClock.New();
        await using var app = await AppUnderTest.StartAsync(
            ["Sandbox:Webhooks=false", "Sandbox:JobDuration=00:00:00", "Snapshots:MaxAge=3.00:00:00", "Basiq:MaxRetries=0"], clock);
        void Later() => clock.Advance(TimeSpan.FromMilliseconds(100));

        // No webhook reports the new connection. The sync starts two seconds after it, so it covers that event, and nothing is fetched again once the event is found.
        var old = await app.CreateUserAsync();
        var back = await app.ConsentAsync(await app.CreateConsentLinkAsync(old), "jared");
        clock.Advance(TimeSpan.FromSeconds(2));
        using var returned = await app.Api.GetAsync(back);
        var syncId = (await AppUnderTest.ReadAsync(returned)).GetProperty("syncId").GetString()!;
        await app.WaitForSyncAsync(old, syncId, Later);

        // Two daily passes at once may each miss what the other moves to another day.
        clock.Advance(TimeSpan.FromDays(2));
        await AppUnderTest.WaitForAsync(
            () => Task.FromResult(app.Logs.Text), text => text.Contains("Daily pass finished", StringComparison.Ordinal), Later);
        var failing = await UserWithDataAsync(app, Later);
        using var knob = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { shareOf500 = 1, faultsUnder = $"/users/{failing}" });
        knob.EnsureSuccessStatusCode();

        clock.Advance(TimeSpan.FromDays(1.5));
        await WaitForGoneAsync(app, old, Later);
        var receipt = Assert.Single(await ReceiptsAsync(app, old));
        Assert.Equal("retention", receipt.GetProperty("reason").GetString());
        using var gone = await app.Api.GetAsync(new Uri($"users/{old}/accounts", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(gone, HttpStatusCode.NotFound, "no-snapshot");
        await AppUnderTest.WaitForAsync(
            () => Task.FromResult(app.Logs.Text), text => text.Contains($"Consent check of user {failing} failed", StringComparison.Ordinal), Later);
        using var kept = await app.Api.GetAsync(new Uri($"users/{failing}/accounts", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, kept.StatusCode);
    }

    internal static async Task<string> UserWithDataAsync(AppUnderTest app, Action? betweenLooks = null, KeptOfUser? kept = null)
    {
        var userId = await app.CreateUserAsync();
        var sync = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"), betweenLooks);
        Assert.Equal(SyncState.Completed, sync.Status);
        Assert.NotEmpty(await (kept ?? FilesOfAsync)(app, userId));
        return userId;
    }

    /// <summary>The files of a user's snapshots.</summary>
    internal static Task<string[]> FilesOfAsync(AppUnderTest app, string userId) => Task.FromResult(
        app.State.Files.Where(file => file.Contains($"/{userId}/", StringComparison.Ordinal) && File.Exists(file)).ToArray());

    /// <summary>What a person does in the browser: opens the page, and presses the button.</summary>
    internal static async Task RevokeOnManagePageAsync(AppUnderTest app, string userId, string consentId)
    {
        var link = await app.CreateConsentLinkAsync(userId, new { action = "manage" });
        var page = await app.Api.GetStringAsync(link);
        Assert.Contains($"name=\"revoke\" value=\"{consentId}\"", page, StringComparison.Ordinal);
        var query = HttpUtility.ParseQueryString(link.Query);
        using var form = new FormUrlEncodedContent([new("token", query["token"]), new("state", query["state"]), new("revoke", consentId)]);
        using var answer = await app.Api.PostAsync(new Uri(new Uri(link.GetLeftPart(UriPartial.Authority)), "/home/manage"), form);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
    }

    internal static Task WaitForGoneAsync(AppUnderTest app, string userId, Action? betweenLooks = null) => AppUnderTest.WaitForAsync(
        async () =>
        {
            using var answer = await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
            return (answer.StatusCode, Receipts: (await ReceiptsAsync(app, userId)).Count);
        },
        seen => seen is (HttpStatusCode.NotFound, 1),
        betweenLooks);

    internal static async Task AssertGoneAsync(AppUnderTest app, string userId, string reason, string consentId, KeptOfUser? kept = null)
    {
        using var accounts = await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(accounts, HttpStatusCode.NotFound, "consent-ended");
        using var transactions = await app.Api.GetAsync(new Uri($"users/{userId}/accounts/a/transactions", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(transactions, HttpStatusCode.NotFound, "consent-ended");
        Assert.Empty(await (kept ?? FilesOfAsync)(app, userId));
        var receipt = Assert.Single(await ReceiptsAsync(app, userId));
        Assert.Equal((reason, consentId), (receipt.GetProperty("reason").GetString(), receipt.GetProperty("consentId").GetString()));
        Assert.True(receipt.GetProperty("accounts").GetInt64() > 0);
    }

    /// <summary>The consents as the sandbox gives them to whoever asks it directly.</summary>
    internal static async Task<JsonElement[]> FromSandboxAsync(AppUnderTest app, string userId)
    {
        using var mint = new HttpRequestMessage(HttpMethod.Post, new Uri("token", UriKind.Relative))
        {
            Content = new FormUrlEncodedContent([new("scope", "SERVER_ACCESS")]),
        };
        mint.Headers.TryAddWithoutValidation("Authorization", $"Basic {SandboxOptions.DefaultApiKey}");
        mint.Headers.Add("basiq-version", "3.0");
        using var minted = await app.Sandbox.SendAsync(mint);
        using var ask = new HttpRequestMessage(HttpMethod.Get, new Uri($"users/{userId}/consents", UriKind.Relative));
        ask.Headers.Authorization = new("Bearer", (await AppUnderTest.ReadAsync(minted)).GetProperty("access_token").GetString());
        using var consents = await app.Sandbox.SendAsync(ask);
        return [.. (await AppUnderTest.ReadAsync(consents)).GetProperty("data").EnumerateArray()];
    }

    internal static string Id(JsonElement resource) => resource.GetProperty("id").GetString()!;

    private static Task<JsonElement> ConsentsAsync(AppUnderTest app, string userId) =>
        app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/consents");

    /// <summary>The connections whose accounts are served.</summary>
    private static async Task<string[]> ConnectionsAsync(AppUnderTest app, string userId) =>
    [
        .. (await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts")).GetProperty("accounts").EnumerateArray()
            .Select(account => account.GetProperty("connection").GetString()!).Distinct(),
    ];

    private static async Task<IReadOnlyList<JsonElement>> ReceiptsAsync(AppUnderTest app, string userId) =>
        [.. (await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/deletion-receipts")).GetProperty("receipts").EnumerateArray()];

    /// <summary>Names what of a user's snapshots is stored.</summary>
    internal delegate Task<string[]> KeptOfUser(AppUnderTest app, string userId);
}
