using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>What Basiq learns of a bank by itself is here soon, and costs no visit to the bank.</summary>
[Trait("Category", "Journeys")]
public sealed class BankNewsTests
{
    private const int Known = 10_000;

    [Fact]
    public async Task News_of_a_background_refresh_arrive_by_one_list_of_accounts_and_a_request_per_account()
    {
        await using var app = await AppUnderTest.StartAsync(
            [$"Sandbox:TransactionsPerAccount={Known}", "Sandbox:AccountsPerUser=4", "Sandbox:NewTransactions=20", "Sync:GatherNewsFor=00:00:00.200"]);
        await app.SubscribeAsync();
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "gavinBelson"));
        await SettledAsync(app, deliveries: 3);
        var accounts = await AccountsAsync(app, userId);
        var before = await AllAsync(app, userId, accounts[0]);
        using (await app.Sandbox.PostAsync(new Uri("_sandbox/reset", UriKind.Relative), null))
            await RefreshAsync(app, userId);

        // 20 are new, and 3 were pending.
        var after = await AppUnderTest.WaitForAsync(() => AllAsync(app, userId, accounts[0]), all => all.Count == before.Count + 23);
        Assert.Equal(after.Count, after.Select(Id).Distinct().Count());
        Assert.Equal(Posted(before), Posted(after).Where(before.Select(t => t.GetRawText()).ToHashSet().Contains));
        foreach (var account in accounts[1..])
            Assert.Equal(Known, (await AllAsync(app, userId, account)).Count);
        await SettledAsync(app, deliveries: 4);
        var stats = await app.StatsAsync();
        Assert.Equal((0, 1), (stats.GetProperty("bankVisits").GetProperty("asked").GetInt32(), stats.GetProperty("bankVisits").GetProperty("background").GetInt32()));
        Assert.Equal(1, await app.CountAsync("GET /users/{userId}/accounts"));
        Assert.Equal(accounts.Length + 1, await app.CountAsync("GET /users/{userId}/transactions"));
        Assert.Equal(0, await app.CountAsync("GET /jobs/{jobId}"));
    }

    [Fact]
    public async Task Whoever_asks_for_it_gets_what_Basiq_has_and_the_whole_of_it_if_so_wished()
    {
        await using var app = await AppUnderTest.StartAsync(
            ["Sandbox:TransactionsPerAccount=1200", "Sandbox:AccountsPerUser=1", "Sandbox:NewTransactions=5", "Sandbox:BackDatedTransactions=2", "Sandbox:BackDatedDays=60", "Sandbox:Webhooks=false"]);
        var userId = await app.CreateUserAsync();
        var first = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "gavinBelson"));
        var (account, connection) = ((await AccountsAsync(app, userId))[0], first.Jobs[0].ConnectionId!);
        var whole = await FullAsOfAsync(app, userId);
        await RefreshAsync(app, userId);
        await AppUnderTest.WaitForAsync(
            async () =>
            {
                await SyncAsync(app, userId, new { connectionIds = new[] { connection } });
                return (await AllAsync(app, userId, account)).Count;
            },
            count => count == 1208);
        Assert.Equal(whole, await FullAsOfAsync(app, userId));

        // What the bank posted late is older than what is fetched again: the whole has it.
        Assert.Equal(SyncState.Completed, await SyncAsync(app, userId, new { connectionIds = new[] { connection }, full = true }));
        Assert.Equal(1210, (await AllAsync(app, userId, account)).Count);
        Assert.True(await FullAsOfAsync(app, userId) > whole);

        // All accounts in one list, compressed.
        using var request = new HttpRequestMessage(HttpMethod.Get, $"users/{userId}/transactions?limit=500");
        request.Headers.AcceptEncoding.ParseAdd("gzip");
        using var merged = await app.Api.SendAsync(request);
        Assert.Equal((HttpStatusCode.OK, "gzip"), (merged.StatusCode, merged.Content.Headers.ContentEncoding.Single()));
        using var conditional = new HttpRequestMessage(HttpMethod.Get, $"users/{userId}/transactions?limit=500");
        conditional.Headers.IfNoneMatch.Add(merged.Headers.ETag!);
        using var known = await app.Api.SendAsync(conditional);
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
    }

    [Fact]
    public async Task The_whole_history_is_fetched_also_while_another_sync_is_running()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:TransactionsPerAccount=50", "Sandbox:AccountsPerUser=1", "Sandbox:Webhooks=false"]);
        var userId = await app.CreateUserAsync();
        var first = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "gavinBelson"));
        foreach (var asked in (object[])[new { connectionIds = new[] { first.Jobs[0].ConnectionId! } }, new { jobIds = new[] { first.Jobs[0].JobId } }])
        {
            var whole = await FullAsOfAsync(app, userId);
            await SlowAsync("00:00:00.5");
            var running = await StartAsync(new { connectionIds = new[] { first.Jobs[0].ConnectionId! } });
            var body = JsonSerializer.SerializeToNode(asked)!.AsObject();
            body["full"] = true;
            var full = await StartAsync(body);
            Assert.NotEqual(running, full);
            Assert.Equal(full, await StartAsync(body));
            await SlowAsync("00:00:00");

            Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(userId, full)).Status);
            Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(userId, running)).Status);
            Assert.True(await FullAsOfAsync(app, userId) > whole);
        }

        async Task<string> StartAsync(object body)
        {
            using var started = await app.Api.PostAsJsonAsync($"users/{userId}/syncs", body);
            return (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!;
        }

        async Task SlowAsync(string latency)
        {
            using (await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { latency, faultsUnder = "/users" }))
            {
            }
        }
    }

    private static async Task RefreshAsync(AppUnderTest app, string userId)
    {
        using var answer = await app.Sandbox.PostAsync(new Uri($"_sandbox/background-refresh?userId={userId}", UriKind.Relative), null);
        Assert.Equal(1, (await AppUnderTest.ReadAsync(answer)).GetProperty("connections").GetInt32());
    }

    private static async Task<SyncState> SyncAsync(AppUnderTest app, string userId, object body)
    {
        using var started = await app.Api.PostAsJsonAsync($"users/{userId}/syncs", body);
        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        return (await app.WaitForSyncAsync(userId, (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!)).Status;
    }

    private static async Task<DateTimeOffset> FullAsOfAsync(AppUnderTest app, string userId) =>
        (await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts")).GetProperty("fullAsOf").GetDateTimeOffset();

    private static async Task<string[]> AccountsAsync(AppUnderTest app, string userId) =>
        [.. (await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts")).GetProperty("accounts").EnumerateArray().Select(Id)];

    private static async Task<List<JsonElement>> AllAsync(AppUnderTest app, string userId, string accountId)
    {
        List<JsonElement> all = [];
        string? cursor = null;
        do
        {
            using var answer = await app.Api.GetAsync(new Uri($"users/{userId}/accounts/{accountId}/transactions?limit=500{(cursor is null ? "" : $"&cursor={cursor}")}", UriKind.Relative));
            if (answer.StatusCode is HttpStatusCode.Conflict)
                return [];
            var page = await AppUnderTest.ReadAsync(answer);
            all.AddRange(page.GetProperty("transactions").EnumerateArray());
            cursor = page.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
        }
        while (cursor is not null);
        return all;
    }

    /// <summary>Waits until so many events have been told of and dealt with, and no sync is running.</summary>
    private static async Task SettledAsync(AppUnderTest app, int deliveries)
    {
        await AppUnderTest.WaitForAsync(
            () => app.Api.GetFromJsonAsync<JsonElement>("webhooks/basiq/subscription"),
            subscription => subscription.GetProperty("deliveries").EnumerateArray().Count(d => d.GetProperty("attempts").GetInt32() > 0) >= deliveries);
        await app.RestAsync();
    }

    private static string Id(JsonElement thing) => thing.GetProperty("id").GetString()!;

    private static IEnumerable<string> Posted(IEnumerable<JsonElement> transactions) =>
        transactions.Where(t => t.GetProperty("status").GetString() == "posted").Select(t => t.GetRawText());
}
