using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Data.Sqlite;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>Syncs under the conditions of real life: callers who repeat themselves, banks that hang, tokens that expire.</summary>
[Trait("Category", "Journeys")]
public sealed class SyncTests
{
    /// <summary>A time at which the timer that refreshes the token stays out of a test that counts tokens.</summary>
    private static DateTimeOffset FivePast
    {
        get
        {
            var now = DateTimeOffset.UtcNow;
            return new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, 5, 0, TimeSpan.Zero);
        }
    }

    [Fact]
    public async Task The_same_jobs_posted_by_many_at_once_are_one_sync()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();
        var jobIds = await app.ConnectAsync(userId, "jared", "richard");

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            app.Api.PostAsJsonAsync($"users/{userId}/syncs", new { jobIds = i % 2 == 0 ? jobIds : [.. jobIds.Reverse()] })));

        var ids = new HashSet<string>();
        foreach (var answer in answers)
        {
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            var body = await AppUnderTest.ReadAsync(answer);
            var syncId = body.GetProperty("syncId").GetString()!;
            ids.Add(syncId);
            Assert.Equal($"/api/users/{userId}/syncs/{syncId}", answer.Headers.Location?.OriginalString);
            Assert.EndsWith(answer.Headers.Location!.OriginalString, body.GetProperty("statusUrl").GetString(), StringComparison.Ordinal);
            Assert.NotNull(answer.Headers.RetryAfter);
            answer.Dispose();
        }

        var id = Assert.Single(ids);
        await app.WaitForSyncAsync(userId, id);
        using var late = await app.Api.PostAsJsonAsync($"users/{userId}/syncs", new { jobIds });
        Assert.Equal(HttpStatusCode.Accepted, late.StatusCode);
        Assert.Equal("completed", (await AppUnderTest.ReadAsync(late)).GetProperty("status").GetString());
        var instances = app.Services.GetRequiredService<DurableTaskClient>().GetAllInstancesAsync();
        Assert.Single(await instances.ToListAsync());
        Assert.Equal(1, await app.CountAsync("GET /users/{userId}/accounts"));
    }

    [Fact]
    public async Task A_job_that_never_ends_is_given_up_and_the_others_are_fetched()
    {
        var clock = StandingClock.New();
        await using var app = await AppUnderTest.StartAsync(
            ["Sync:FirstPollDelay=00:00:02", "Sandbox:JobDuration=00:00:03"], clock);
        var userId = await app.CreateUserAsync();
        var endingJobs = await app.ConnectAsync(userId, "jared");
        using var knob = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { JobsNeverEnd = true });
        knob.EnsureSuccessStatusCode();
        var endlessJobs = await app.ConnectAsync(userId, "richard");
        using var started = await app.Api.PostAsJsonAsync($"users/{userId}/syncs", new { jobIds = endingJobs.Concat(endlessJobs) });
        var syncId = (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!;
        var startedAt = clock.GetUtcNow();

        var sync = await app.WaitForSyncAsync(userId, syncId, clock, TimeSpan.FromSeconds(2));

        Assert.Equal(SyncState.Partial, sync.Status);
        var endless = sync.Jobs.Single(j => j.JobId == endlessJobs[0]);
        Assert.Equal(JobState.TimedOut, endless.Status);
        Assert.Equal(NextAction.RetryLater, endless.NextAction);
        Assert.True(sync.Accounts.Fetched > 0);
        Assert.InRange(clock.GetUtcNow() - startedAt, TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(17));

        // 2 s growing by half to 30 s: some 35 polls of the endless job in 15 minutes, few of the other.
        Assert.InRange(await app.CountAsync("GET /jobs/{jobId}"), 30, 45);
    }

    [Fact]
    public async Task A_job_changed_event_ends_a_wait_early()
    {
        var clock = StandingClock.New();
        var sandboxClock = new FakeTimeProvider(clock.GetUtcNow());
        await using var app = await AppUnderTest.StartAsync(
            ["Sync:FirstPollDelay=00:10:00", "Sync:MaxPollDelay=00:10:00", "Sandbox:JobDuration=00:00:03"], clock, sandboxClock);
        var userId = await app.CreateUserAsync();
        var syncId = await app.ConsentAndReturnAsync(userId, "jared");
        sandboxClock.Advance(TimeSpan.FromSeconds(10));

        await app.Services.GetRequiredService<DurableTaskClient>().RaiseEventAsync(syncId, SyncOrchestration.JobChangedEvent);

        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(userId, syncId)).Status);
    }

    [Fact]
    public async Task A_cancelled_sync_stops_and_publishes_nothing()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:TransactionsPerAccount=50000"]);
        var userId = await app.CreateUserAsync();

        // Far from its end whenever it is cancelled.
        using var slow = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { latency = "00:00:00.3", faultsUnder = $"/users/{userId}/transactions" });
        slow.EnsureSuccessStatusCode();
        var syncId = await app.ConsentAndReturnAsync(userId, "jared");
        await AppUnderTest.WaitForAsync(() => app.GetSyncAsync(userId, syncId), s => s.Status is SyncState.Fetching);

        using var cancelled = await app.Api.DeleteAsync(new Uri($"users/{userId}/syncs/{syncId}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Accepted, cancelled.StatusCode);

        Assert.Equal(SyncState.Cancelled, (await app.WaitForSyncAsync(userId, syncId)).Status);
        using var accounts = await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(accounts, HttpStatusCode.NotFound, "no-snapshot");
        Assert.DoesNotContain(app.State.Files, file => file.Contains(syncId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_that_Basiq_stops_taking_in_the_middle_of_a_sync_is_replaced_unnoticed()
    {
        var clock = new FakeTimeProvider(FivePast);
        var sandboxClock = new FakeTimeProvider(clock.GetUtcNow());
        await using var app = await AppUnderTest.StartAsync(
            ["Sync:FirstPollDelay=00:00:02", "Sandbox:JobDuration=00:00:03"], clock, sandboxClock);
        var userId = await app.CreateUserAsync();
        var syncId = await app.ConsentAndReturnAsync(userId, "jared");
        Assert.Equal(1, await app.CountAsync("POST /token SERVER_ACCESS"));

        // To the sandbox the token is two hours old now; to the app it is fresh.
        sandboxClock.Advance(TimeSpan.FromHours(2));
        var sync = await app.WaitForSyncAsync(userId, syncId, clock, TimeSpan.FromSeconds(1));

        Assert.Equal(SyncState.Completed, sync.Status);
        Assert.Equal(2, await app.CountAsync("POST /token SERVER_ACCESS"));
    }

    [Fact]
    public async Task A_thousand_first_callers_cost_one_token_request()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:Latency=00:00:00.05"], new FakeTimeProvider(FivePast), TimeProvider.System);

        var answers = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(i =>
            app.Api.GetAsync(new Uri($"users/nobody-{i}", UriKind.Relative))));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.NotFound, a.StatusCode));
        Assert.Equal(1, await app.CountAsync("POST /token SERVER_ACCESS"));
    }

    [Fact]
    public async Task A_sync_survives_refusals_errors_and_cut_answers()
    {
        await using var app = await AppUnderTest.StartAsync(
        [
            "Sandbox:FaultsUnder=/users", "Sandbox:RetryAfter=00:00:00", "Sandbox:ShareOf429=0.1", "Sandbox:ShareOf500=0.1",
            "Sandbox:ShareOfTruncatedBodies=0.1", "Sandbox:TransactionsPerAccount=3000", "Sync:RetryDelay=00:00:00.05",
            "Basiq:MaxRetries=8",
        ]);
        using var calm = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { FaultsUnder = "/nowhere" });
        var userId = await app.CreateUserAsync();
        var jobIds = await app.ConnectAsync(userId, "ashMann");
        using var storm = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { FaultsUnder = "/users" });
        using var started = await app.Api.PostAsJsonAsync($"users/{userId}/syncs", new { jobIds });
        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        var syncId = (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!;

        var sync = await app.WaitForSyncAsync(userId, syncId);

        Assert.Equal(SyncState.Completed, sync.Status);
        Assert.Equal(sync.Accounts.Total * 3_000L, sync.Transactions);
    }

    [Fact]
    public async Task A_sync_of_another_user_is_not_found()
    {
        await using var app = await AppUnderTest.StartAsync();
        var owner = await app.CreateUserAsync();
        var stranger = await app.CreateUserAsync("erlich@hooli.com");
        var syncId = await app.ConsentAndReturnAsync(owner, "jared");

        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Delete })
        {
            using var request = new HttpRequestMessage(method, $"users/{stranger}/syncs/{syncId}");
            using var answer = await app.Api.SendAsync(request);
            await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.NotFound, "sync-not-found");
        }

        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(owner, syncId)).Status);
    }

    [Fact]
    public async Task Jobs_of_another_user_start_nothing()
    {
        await using var app = await AppUnderTest.StartAsync();
        var owner = await app.CreateUserAsync();
        var stranger = await app.CreateUserAsync("erlich@hooli.com");
        var jobIds = await app.ConnectAsync(owner, "jared");

        using var answer = await app.Api.PostAsJsonAsync($"users/{stranger}/syncs", new { jobIds = jobIds.Append("no-such-job") });

        var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.NotFound, "job-not-found");
        Assert.Contains("no-such-job", problem.GetProperty("errors").GetProperty("jobIds")[0].GetString(), StringComparison.Ordinal);
        using var unknownUser = await app.Api.PostAsJsonAsync("users/nobody/syncs", new { jobIds });
        await AppUnderTest.AssertProblemAsync(unknownUser, HttpStatusCode.NotFound, "user-not-found");
    }

    [Fact]
    public async Task A_finished_sync_is_still_there_after_a_restart()
    {
        using var state = new TemporaryDirectory();
        string userId;
        SyncAnswer before;
        await using (var app = await AppUnderTest.StartAsync(state: state))
        {
            userId = await app.CreateUserAsync();
            before = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared"));
        }

        await using var restarted = await AppUnderTest.StartAsync(state: state);
        var after = await restarted.GetSyncAsync(userId, before.SyncId);

        Assert.Equal(before.Status, after.Status);
        Assert.Equal(before.Transactions, after.Transactions);
        Assert.Equal(before.UpdatedAt, after.UpdatedAt);
        Assert.Empty(restarted.Services.GetRequiredService<OrchestrationEngine>().LiveInstanceIds);
    }

    [Fact]
    public async Task A_sync_that_finished_long_ago_is_forgotten_and_its_snapshot_is_not()
    {
        var clock = StandingClock.New();
        await using var app = await AppUnderTest.StartAsync(["Sync:KeepFinishedFor=10.00:00:00"], clock);
        var userId = await app.CreateUserAsync();
        var jobIds = await app.ConnectAsync(userId, "jared");
        var syncId = await StartAsync(app, userId, jobIds);
        await app.WaitForSyncAsync(userId, syncId, () => clock.Advance(TimeSpan.FromSeconds(1)));

        clock.Advance(TimeSpan.FromDays(9));
        Assert.Equal(SyncState.Completed, (await app.GetSyncAsync(userId, syncId)).Status);
        await AppUnderTest.WaitForAsync(
            async () =>
            {
                using var answer = await app.Api.GetAsync(new Uri($"users/{userId}/syncs/{syncId}", UriKind.Relative));
                return answer.StatusCode;
            },
            status => status is HttpStatusCode.NotFound,

            // In steps that let answers of Basiq's confirm the clock, as the token's renewals do.
            () => clock.Advance(TimeSpan.FromMinutes(10)));

        var accounts = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
        Assert.Equal(syncId, accounts.GetProperty("syncId").GetString());

        // The same jobs once more: a new run under the same id, which replaces the snapshot of the first.
        Assert.Equal(syncId, await StartAsync(app, userId, jobIds));
        var again = await app.WaitForSyncAsync(userId, syncId, () => clock.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(SyncState.Completed, again.Status);
        var account = accounts.GetProperty("accounts")[0].GetProperty("id").GetString();
        var page = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts/{account}/transactions?limit=1");
        Assert.Equal(1, page.GetProperty("transactions").GetArrayLength());
    }

    [Fact]
    public async Task A_sync_of_a_thousand_accounts_has_a_small_history_and_a_status_that_fits()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:AccountsPerUser=1000", "Sandbox:TransactionsPerAccount=1"]);
        var userId = await app.CreateUserAsync();
        var syncId = await app.ConsentAndReturnAsync(userId, "jared");

        var sync = await app.WaitForSyncAsync(userId, syncId);

        Assert.Equal((SyncState.Completed, 1000, 1000L), (sync.Status, sync.Accounts.Fetched, sync.Transactions));
        await using var journal = new SqliteConnection($"Data Source={Path.Combine(app.State.Path, "journal.db")};Mode=ReadOnly;Pooling=False");
        journal.Open();
        await using var query = journal.CreateCommand();
        query.CommandText = """
            SELECT SUM(e.value ->> 'type' LIKE 'Task%'), SUM(LENGTH(e.value)), MAX(LENGTH(e.value)) FROM turns t, json_each(t.events) e
            """;
        await using var row = await query.ExecuteReaderAsync();
        Assert.True(await row.ReadAsync());

        // An account is an activity asked for and its result. Durable Functions moves payloads over 45 KB to blobs; the list of the
        // accounts and of their segments, once each, are all that may come near.
        Assert.InRange(row.GetInt64(0), 2_000, 2_100);
        Assert.InRange(row.GetInt64(1), 1, 600_000);
        Assert.InRange(row.GetInt64(2), 1, 100_000);
    }

    private static async Task<string> StartAsync(AppUnderTest app, string userId, string[] jobIds)
    {
        using var answer = await app.Api.PostAsJsonAsync($"users/{userId}/syncs", new { jobIds });
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return (await AppUnderTest.ReadAsync(answer)).GetProperty("syncId").GetString()!;
    }
}
