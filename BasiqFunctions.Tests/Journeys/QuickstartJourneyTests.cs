using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>The quickstart from a new user to fetched accounts, as a front end would go through it.</summary>
[Trait("Category", "Journeys")]
public sealed class QuickstartJourneyTests
{
    [Fact]
    public async Task A_new_user_who_consents_gets_accounts_and_transactions()
    {
        await using var app = await AppUnderTest.StartAsync();

        using var created = await app.Api.PostAsJsonAsync("users", new { email = "gavin@hooli.com" });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var userId = (await AppUnderTest.ReadAsync(created)).GetProperty("id").GetString()!;
        Assert.Equal($"/api/users/{userId}", created.Headers.Location?.OriginalString);

        using var token = await app.Api.PostAsync(new Uri($"users/{userId}/client-token", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.OK, token.StatusCode);
        Assert.True(token.Headers.CacheControl?.NoStore);
        var clientToken = await AppUnderTest.ReadAsync(token);
        Assert.NotEmpty(clientToken.GetProperty("access_token").GetString()!);
        Assert.Equal("Bearer", clientToken.GetProperty("token_type").GetString());
        Assert.True(clientToken.GetProperty("expires_in").GetInt32() > 0);

        using var noSnapshot = await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(noSnapshot, HttpStatusCode.NotFound, "no-snapshot");

        var syncId = await app.ConsentAndReturnAsync(userId, "gavinBelson");
        var sync = await app.WaitForSyncAsync(userId, syncId);

        Assert.Equal(SyncState.Completed, sync.Status);
        var job = Assert.Single(sync.Jobs);
        Assert.Equal(JobState.Success, job.Status);
        Assert.Equal(["verify-credentials", "retrieve-accounts", "retrieve-transactions"], job.Steps.Select(s => s.Title));
        Assert.True(sync.Accounts.Total > 1);
        Assert.Equal(sync.Accounts.Total, sync.Accounts.Fetched);

        var snapshot = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
        Assert.Equal(syncId, snapshot.GetProperty("syncId").GetString());
        var accounts = snapshot.GetProperty("accounts").EnumerateArray().ToArray();
        Assert.Equal(sync.Accounts.Total, accounts.Length);
        Assert.All(accounts, a => Assert.Equal(JsonValueKind.String, a.GetProperty("balance").ValueKind));

        var read = 0L;
        foreach (var account in accounts)
            read += (await ReadAllAsync(app, userId, account.GetProperty("id").GetString()!)).Count;
        Assert.Equal(sync.Transactions, read);
        Assert.True(read > 100);
    }

    [Theory]
    [InlineData("bighead", "invalid-credentials", "reconnect")]
    [InlineData("erlich", "account-not-accessible-requires-user-action", "act-at-bank")]
    [InlineData("jianYang", "service-unavailable", "retry-later")]
    public async Task A_bank_that_fails_says_why_and_what_to_do(string login, string code, string nextAction)
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();

        var syncId = await app.ConsentAndReturnAsync(userId, login);
        await app.WaitForSyncAsync(userId, syncId);

        var sync = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/syncs/{syncId}");
        Assert.Equal("failed", sync.GetProperty("status").GetString());
        var job = sync.GetProperty("jobs")[0];
        Assert.Equal("failed", job.GetProperty("status").GetString());
        Assert.Equal(nextAction, job.GetProperty("nextAction").GetString());
        var failed = job.GetProperty("steps").EnumerateArray().Single(s => s.GetProperty("status").GetString() == "failed");
        Assert.Equal(code, failed.GetProperty("code").GetString());
        Assert.NotEmpty(failed.GetProperty("detail").GetString()!);

        using var accounts = await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(accounts, HttpStatusCode.NotFound, "no-snapshot");
    }

    [Fact]
    public async Task A_failing_bank_does_not_spoil_the_others()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();

        var syncId = await app.ConsentAndReturnAsync(userId, "Whistler", "bighead");
        var sync = await app.WaitForSyncAsync(userId, syncId);

        Assert.Equal(SyncState.Partial, sync.Status);
        Assert.Equal([JobState.Success, JobState.Failed], sync.Jobs.Select(j => j.Status).Order());
        Assert.True(sync.Accounts.Fetched > 0);
        var snapshot = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
        Assert.Equal(sync.Accounts.Fetched, snapshot.GetProperty("accounts").GetArrayLength());
    }

    [Fact]
    public async Task A_user_without_accounts_completes_with_an_empty_list()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:AccountsPerUser=0"]);
        var userId = await app.CreateUserAsync();

        var sync = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"));

        Assert.Equal(SyncState.Completed, sync.Status);
        Assert.Equal(new AccountProgress(0, 0), sync.Accounts);
        var snapshot = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
        Assert.Equal(0, snapshot.GetProperty("accounts").GetArrayLength());
    }

    [Fact]
    public async Task A_second_bank_keeps_the_first_ones_accounts()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();

        var first = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"));
        var second = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "richard"));

        var snapshot = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
        Assert.Equal(
            first.Accounts.Fetched + second.Accounts.Fetched, snapshot.GetProperty("accounts").GetArrayLength());
    }

    [Fact]
    public async Task A_browser_with_a_return_url_is_sent_there_with_the_sync()
    {
        await using var app = await AppUnderTest.StartAsync(["Consent:ReturnUrls:0=https://app.example.com/banks"]);
        var userId = await app.CreateUserAsync();

        var link = await app.CreateConsentLinkAsync(userId, new { returnUrl = "https://app.example.com/banks/done?from=home" });
        using var answer = await app.Api.GetAsync(await app.ConsentAsync(link, "jared"));

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var next = answer.Headers.Location!;
        Assert.Equal("https://app.example.com/banks/done", next.GetLeftPart(UriPartial.Path));
        var query = System.Web.HttpUtility.ParseQueryString(next.Query);
        Assert.Equal("home", query["from"]);
        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(userId, query["syncId"]!)).Status);
    }

    [Fact]
    public async Task A_person_who_connects_no_bank_is_sent_back_too()
    {
        await using var app = await AppUnderTest.StartAsync(["Consent:ReturnUrls:0=https://app.example.com/banks"]);
        var userId = await app.CreateUserAsync();
        var link = await app.CreateConsentLinkAsync(userId, new { returnUrl = "https://app.example.com/banks" });
        var state = System.Web.HttpUtility.ParseQueryString(link.Query)["state"]!;

        using var answer = await app.Api.GetAsync(new Uri($"consent/return?state={Uri.EscapeDataString(state)}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Equal("https://app.example.com/banks?error=no-bank-connected", answer.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task A_refresh_fetches_anew_and_keeps_the_posted_transactions()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();
        var first = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "ashMann"));

        using var answer = await app.Api.PostAsJsonAsync($"users/{userId}/refresh", new { force = true });
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var syncId = (await AppUnderTest.ReadAsync(answer)).GetProperty("syncId").GetString()!;
        var second = await app.WaitForSyncAsync(userId, syncId);

        Assert.NotEqual(first.SyncId, second.SyncId);
        Assert.Equal(SyncState.Completed, second.Status);
        Assert.Equal(first.Accounts, second.Accounts);
        var snapshot = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
        Assert.Equal(second.SyncId, snapshot.GetProperty("syncId").GetString());
    }

    [Fact]
    public async Task A_removed_connection_takes_the_banks_data_along()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();
        var sync = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"));
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "richard"));
        var connectionId = sync.Jobs[0].ConnectionId!;

        await app.DeleteAsync($"users/{userId}/connections/{connectionId}");

        var connections = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/connections");
        Assert.DoesNotContain(connectionId, connections.ToString(), StringComparison.Ordinal);
        var snapshot = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
        Assert.NotEqual(0, snapshot.GetProperty("accounts").GetArrayLength());
        Assert.DoesNotContain(connectionId, snapshot.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deleted_user_leaves_nothing_behind()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "Whistler"));
        Assert.Contains(app.State.Files, file => file.Contains(userId, StringComparison.Ordinal));

        await app.DeleteAsync($"users/{userId}");

        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries(app.State.Path, "*", SearchOption.AllDirectories),
            entry => entry.Contains(userId, StringComparison.Ordinal));
        using var user = await app.Api.GetAsync(new Uri($"users/{userId}", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(user, HttpStatusCode.NotFound, "user-not-found");
        using var again = await AppUnderTest.WaitForAsync(
            () => app.Api.DeleteAsync(new Uri($"users/{userId}", UriKind.Relative)), answer => answer.StatusCode is not HttpStatusCode.Accepted);
        await AppUnderTest.AssertProblemAsync(again, HttpStatusCode.NotFound, "user-not-found");
    }

    [Fact]
    public async Task A_user_deleted_in_the_middle_of_a_sync_leaves_nothing_behind()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:TransactionsPerAccount=20000", "Sandbox:Latency=00:00:00.01"]);
        var userId = await app.CreateUserAsync();
        var syncId = await app.ConsentAndReturnAsync(userId, "Whistler");
        await AppUnderTest.WaitForAsync(() => app.GetSyncAsync(userId, syncId), s => s.Status is SyncState.Fetching);

        await app.DeleteAsync($"users/{userId}");

        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries(app.State.Path, "*", SearchOption.AllDirectories),
            entry => entry.Contains(userId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Fifty_thousand_transactions_are_read_back_by_cursor_and_by_date()
    {
        await using var app = await AppUnderTest.StartAsync(
            ["Sandbox:AccountsPerUser=1", "Sandbox:TransactionsPerAccount=50000"]);
        var userId = await app.CreateUserAsync();

        var sync = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "Gilfoyle"));

        Assert.Equal(50_000, sync.Transactions);
        var snapshot = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
        var accountId = snapshot.GetProperty("accounts")[0].GetProperty("id").GetString()!;
        var all = await ReadAllAsync(app, userId, accountId);
        Assert.Equal(50_000, all.Count);
        Assert.Equal(50_000, all.Select(t => t.GetProperty("id").GetString()).Distinct().Count());

        var days = all.Where(t => t.GetProperty("status").GetString() == "posted").Select(Day).ToArray();
        var from = days.Min().AddDays(30);
        var to = from.AddDays(60);
        var between = await ReadAllAsync(app, userId, accountId, $"&from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}&status=posted");
        Assert.Equal(days.Count(d => d >= from && d <= to), between.Count);
        Assert.All(between, t => Assert.InRange(Day(t), from, to));
    }

    private static DateOnly Day(JsonElement transaction) =>
        DateOnly.ParseExact(transaction.GetProperty("postDate").GetString()![..10], "yyyy-MM-dd");

    private static async Task<List<JsonElement>> ReadAllAsync(
        AppUnderTest app, string userId, string accountId, string filter = "")
    {
        List<JsonElement> all = [];
        string? cursor = null;
        do
        {
            var page = await app.Api.GetFromJsonAsync<JsonElement>(
                $"users/{userId}/accounts/{accountId}/transactions?limit=500{filter}"
                + (cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}"));
            all.AddRange(page.GetProperty("transactions").EnumerateArray());
            cursor = page.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
        }
        while (cursor is not null);
        return all;
    }
}
