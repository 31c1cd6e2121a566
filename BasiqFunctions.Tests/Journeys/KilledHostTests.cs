using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Web;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>LocalHost is killed with SIGKILL in the middle of a sync, and started again.</summary>
#pragma warning disable CA1001 // DisposeAsync disposes of them.
public sealed class KilledHostTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private const int Accounts = 3;
    private const int TransactionsPerAccount = 30_000;
    private const int PagesPerActivity = 5;

    private readonly TemporaryDirectory _state = new();
    private WebApplication _sandbox = null!;
    private HttpClient _sandboxClient = null!;
    private int _kills;

    public async Task InitializeAsync()
    {
        _sandbox = SandboxApplication.Create([], builder =>
        {
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Sandbox:AccountsPerUser"] = $"{Accounts}",
                ["Sandbox:TransactionsPerAccount"] = $"{TransactionsPerAccount}",
                ["Sandbox:JobDuration"] = "00:00:02",
                ["Sandbox:Latency"] = "00:00:00.01",
            });
        });
        await _sandbox.StartAsync();
        _sandboxClient = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(_sandbox.Urls.First()) };
    }

    public async Task DisposeAsync()
    {
        _sandboxClient.Dispose();
        await _sandbox.DisposeAsync();
        _state.Dispose();
    }

    [Fact]
    public async Task A_sync_killed_in_each_of_its_phases_completes_and_repeats_nothing_that_was_recorded()
    {
        string userId;
        string syncId;
        var host = await StartAsync();
        try
        {
            (userId, syncId) = await StartSyncAsync(host);

            host = await KillAsync(host);
            await WaitForAsync(host, userId, syncId, s => s.Jobs.Any(j => j.Status is JobState.InProgress));
            host = await KillAsync(host);
            await WaitForAsync(host, userId, syncId, s => s.Status is SyncState.Fetching);
            host = await KillAsync(host);
            await WaitForAsync(host, userId, syncId, s => s.Transactions > 20_000);
            host = await KillAsync(host);
            await WaitForAsync(host, userId, syncId, s => s.Transactions > 60_000 || s.Status is SyncState.Completed);
            host = await KillAsync(host);

            var sync = await WaitForAsync(
                host, userId, syncId, s => s.Status is not (SyncState.WaitingForBank or SyncState.Fetching));
            Assert.Equal(SyncState.Completed, sync.Status);
            Assert.Equal(new AccountProgress(Accounts, Accounts), sync.Accounts);
            Assert.Equal(Accounts * TransactionsPerAccount, sync.Transactions);

            host = await KillAsync(host);
            Assert.Equal(SyncState.Completed, (await GetAsync(host, userId, syncId)).Status);
            await AssertCompleteAsync(host, userId);
        }
        finally
        {
            host.Dispose();
        }

        AssertNothingRecordedRanAgain();
        await AssertFewPagesTwiceAsync();
    }

    /// <summary>The journal itself: no activity was begun after its outcome had been written, and none more often than there were kills.</summary>
    private void AssertNothingRecordedRanAgain()
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_state.Path, "journal.db")};Mode=ReadOnly;Pooling=False");
        connection.Open();
        Assert.Equal(0L, Scalar($"""
            SELECT COUNT(*) FROM activity_runs r JOIN events e USING (instance_id, task_id)
            WHERE e.kind IN ({(int)JournalEventKind.ActivityCompleted}, {(int)JournalEventKind.ActivityFailed}) AND r.started_at > e.at
            """));
        Assert.Equal(
            Scalar($"SELECT COUNT(*) FROM events WHERE kind = {(int)JournalEventKind.ActivityScheduled}"),
            Scalar("SELECT COUNT(DISTINCT instance_id || task_id) FROM activity_runs"));
        Assert.InRange(Scalar("SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM activity_runs GROUP BY instance_id, task_id)"), 1, 1 + _kills);

        long Scalar(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            return (long)command.ExecuteScalar()!;
        }
    }

    /// <summary>Basiq's side of it: what was fetched twice is at most what was in flight at the kills.</summary>
    private async Task AssertFewPagesTwiceAsync()
    {
        var stats = await _sandboxClient.GetFromJsonAsync<JsonElement>("_sandbox/stats");
        var pages = stats.GetProperty("pages").EnumerateObject().ToArray();
        Assert.Equal(Accounts, pages.Length);
        foreach (var account in pages)
        {
            var fetched = account.Value.EnumerateObject().Select(p => p.Value.GetInt64()).ToArray();
            Assert.Equal(TransactionsPerAccount / 500, fetched.Length);
            Assert.InRange(fetched.Sum() - fetched.Length, 0, _kills * PagesPerActivity);
        }
    }

    private static async Task AssertCompleteAsync(LocalHostProcess host, string userId)
    {
        var snapshot = await host.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
        foreach (var account in snapshot.GetProperty("accounts").EnumerateArray())
        {
            HashSet<string> ids = [];
            string? cursor = null;
            do
            {
                var page = await host.Api.GetFromJsonAsync<JsonElement>(
                    $"users/{userId}/accounts/{account.GetProperty("id").GetString()}/transactions?limit=500"
                    + (cursor is null ? "" : $"&cursor={cursor}"));
                foreach (var transaction in page.GetProperty("transactions").EnumerateArray())
                    Assert.True(ids.Add(transaction.GetProperty("id").GetString()!));
                cursor = page.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
            }
            while (cursor is not null);
            Assert.Equal(TransactionsPerAccount, ids.Count);
        }
    }

    private Task<LocalHostProcess> StartAsync() => LocalHostProcess.StartAsync(
        $"Basiq:BaseUrl={_sandbox.Urls.First()}",
        $"Basiq:ConsentUrl={_sandbox.Urls.First()}/home",
        "Basiq:ApiKey=sandbox-api-key",
        $"LocalHost:StateDirectory={_state.Path}",
        $"Sync:PagesPerActivity={PagesPerActivity}",
        "Sync:FirstPollDelay=00:00:00.2",
        "Sync:MaxPollDelay=00:00:00.5");

    private async Task<LocalHostProcess> KillAsync(LocalHostProcess host)
    {
        host.Kill();
        Confidential.AssertNoneIn(host.Output, _state);
        host.Dispose();
        _kills++;
        return await StartAsync();
    }

    private async Task<(string UserId, string SyncId)> StartSyncAsync(LocalHostProcess host)
    {
        using var created = await host.Api.PostAsJsonAsync("users", new { email = "gavin@hooli.com" });
        var userId = (await AppUnderTest.ReadAsync(created)).GetProperty("id").GetString()!;
        using var linked = await host.Api.PostAsJsonAsync($"users/{userId}/consent-link", new { });
        var query = HttpUtility.ParseQueryString(new Uri((await AppUnderTest.ReadAsync(linked)).GetProperty("url").GetString()!).Query);
        var user = TestUsers.Find("gavinBelson")!;
        using var form = new FormUrlEncodedContent(
        [
            new("token", query["token"]), new("state", query["state"]), new("institutionId", "AU00000"),
            new("loginId", user.LoginId), new("password", user.Password), new("finish", "1"),
        ]);
        using var page = await _sandboxClient.PostAsync(new Uri("home", UriKind.Relative), form);
        using var back = await host.Api.GetAsync(new Uri($"consent/return{page.Headers.Location!.Query}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Accepted, back.StatusCode);
        return (userId, (await AppUnderTest.ReadAsync(back)).GetProperty("syncId").GetString()!);
    }

    private static Task<SyncAnswer> WaitForAsync(LocalHostProcess host, string userId, string syncId, Func<SyncAnswer, bool> isIt) =>
        AppUnderTest.WaitForAsync(() => GetAsync(host, userId, syncId), isIt);

    private static async Task<SyncAnswer> GetAsync(LocalHostProcess host, string userId, string syncId) =>
        (await host.Api.GetFromJsonAsync<SyncAnswer>($"users/{userId}/syncs/{syncId}"))!;
}
