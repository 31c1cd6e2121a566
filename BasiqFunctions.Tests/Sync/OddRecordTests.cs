using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Sync;

/// <summary>One odd answer of Basiq's spoils nothing but itself.</summary>
[Trait("Category", "Journeys")]
public sealed class OddRecordTests
{
    private static readonly string[] Unknown = ["job-none"];

    private readonly ScriptedBasiq _basiq = new();

    public OddRecordTests()
    {
        _basiq.Jobs["job-1"] = ScriptedBasiq.Job("job-1", "c1");
        _basiq.Accounts = [ScriptedBasiq.Account("a1", "c1"), ScriptedBasiq.Account("b1", "c1")];
        _basiq.Connections["c1"] = "active";
    }

    [Fact]
    public async Task An_account_that_is_listed_twice_is_taken_once()
    {
        _basiq.Accounts = [ScriptedBasiq.Account("a1", "c9"), ScriptedBasiq.Account("a1", "c1"), ScriptedBasiq.Account("a1", "c1"), ScriptedBasiq.Account("b1", "c1")];
        await using var app = await StartAsync();

        var sync = await SyncAsync(app);

        Assert.Equal((SyncState.Completed, 2, 2L), (sync.Status, sync.Accounts.Fetched, sync.Transactions));
        Assert.Equal(["a1", "b1"], await AccountsAsync(app));
    }

    [Fact]
    public async Task Accounts_that_cannot_be_read_are_skipped_and_counted_and_what_is_kept_of_them_stays()
    {
        using var telemetry = new TelemetryCapture();
        await using var app = await StartAsync();
        Assert.Equal(SyncState.Completed, (await SyncAsync(app)).Status);
        _basiq.Jobs["job-2"] = ScriptedBasiq.Job("job-2", "c1");
        _basiq.Accounts =
        [
            "null", "[]", "\"a1\"", """{"type":"account","connection":"c1"}""", """{"id":"a/b","connection":"c1"}""", """{"id":7,"connection":"c1"}""",
            """{"id":"no one's","connection":"c9"}""", """{"id":"a1","connection":null}""", """{"id":"a1","connection":{"id":"c1"}}""", """{"id":"a1"}""",
            ScriptedBasiq.Account("b1", "c1", balance: "200.00"),
        ];

        var sync = await SyncAsync(app, "job-2");

        Assert.Equal((SyncState.Partial, 1, "accounts-skipped"), (sync.Status, sync.Accounts.Fetched, sync.Error?.Code));
        Assert.Equal(
            [new SkippedAccounts("malformed-connection", 3), new SkippedAccounts("malformed-id", 6)],
            sync.Accounts.Skipped!.OrderBy(skipped => skipped.Reason, StringComparer.Ordinal));
        Assert.Contains("6 with malformed-id", sync.Error!.Detail, StringComparison.Ordinal);
        Assert.Equal(
            new Dictionary<string, double> { ["malformed-connection"] = 3, ["malformed-id"] = 6 },
            telemetry.SumsOf(app.Services, "basiq.sync.accounts.skipped"));
        Assert.Equal(["a1", "b1"], await AccountsAsync(app));
        Assert.Equal(["t-of-a1"], await TransactionsAsync(app, "a1"));
    }

    [Fact]
    public async Task Transactions_without_an_id_are_skipped_and_counted_and_the_others_of_the_account_are_fetched()
    {
        _basiq.Page = (account, next) => account == "b1" ? (Ids("t-of-b1"), null) : next switch
        {
            null => ([.. Ids("t1"), """{"type":"transaction"}""", """{"id":7}""", """{"id":""}"""], "2"),
            _ => (["null", "[]", .. Ids("t2")], null),
        };
        await using var app = await StartAsync("Sync:PagesPerActivity=1");

        var sync = await SyncAsync(app);

        Assert.Equal((SyncState.Partial, 2, 3L, 5L, "transactions-skipped"), (sync.Status, sync.Accounts.Fetched, sync.Transactions, sync.TransactionsSkipped, sync.Error?.Code));
        Assert.Equal(["t1", "t2"], await TransactionsAsync(app, "a1"));
        Assert.Equal(["t-of-b1"], await TransactionsAsync(app, "b1"));
    }

    [Fact]
    public async Task A_page_of_which_no_transaction_can_be_read_fails_its_account_and_what_is_kept_of_it_stays()
    {
        await using var app = await StartAsync();
        Assert.Equal(SyncState.Completed, (await SyncAsync(app)).Status);
        _basiq.Jobs["job-2"] = ScriptedBasiq.Job("job-2", "c1");
        _basiq.Page = (account, _) => (account == "b1" ? Ids("t-of-b1") : ["null", """{"id":null}"""], null);

        var sync = await SyncAsync(app, "job-2");

        Assert.Equal((SyncState.Partial, 1), (sync.Status, sync.Accounts.Fetched));
        Assert.Equal(["t-of-a1"], await TransactionsAsync(app, "a1"));
    }

    [Fact]
    public async Task A_page_that_cannot_tell_what_comes_next_fails_its_account_and_what_is_kept_of_it_stays()
    {
        await using var app = await StartAsync();
        Assert.Equal(SyncState.Completed, (await SyncAsync(app)).Status);
        _basiq.Jobs["job-2"] = ScriptedBasiq.Job("job-2", "c1");
        _basiq.Accounts = [ScriptedBasiq.Account("a1", "c1")];
        _basiq.Instead = request => request == "GET /users/user-1/transactions"
            ? ScriptedBasiq.Json($$$$"""{"type":"list","data":[{{{{ScriptedBasiq.Transaction("t-new")}}}}],"links":{"next":{"href":"https://basiq.test/next"}}}""")
            : null;

        var sync = await SyncAsync(app, "job-2");

        Assert.Equal((SyncState.Partial, "unexpected-shape", 0), (sync.Status, sync.Error?.Code, sync.Accounts.Fetched));
        Assert.Equal(["t-of-a1"], await TransactionsAsync(app, "a1"));
    }

    [Fact]
    public async Task A_list_of_jobs_with_odd_records_does_not_keep_a_sound_job_from_its_sync()
    {
        _basiq.ListedJobs =
        [
            "null", "{}", """{"id":"odd","steps":[{"title":"x"},null,"y"]}""", """{"id":"odd-2","steps":[{"status":"success","result":["/users/x"]}],"links":[]}""",
            ScriptedBasiq.Job("job-1", "c1"),
        ];
        await using var app = await StartAsync();

        Assert.Equal(SyncState.Completed, (await SyncAsync(app)).Status);
    }

    [Fact]
    public async Task A_job_with_a_step_that_cannot_be_read_is_waited_for()
    {
        _basiq.Jobs["job-1"] = """{"id":"job-1","steps":[{"title":"verify-credentials","status":"success","result":[]},{"title":"retrieve-accounts","result":null}],"links":{"source":"/users/user-1/connections/c1"}}""";
        await using var app = await StartAsync();
        var syncId = await StartSyncAsync(app, "job-1");
        await AppUnderTest.WaitForAsync(() => Task.FromResult(_basiq.Count("GET /jobs/job-1")), polls => polls > 2);
        var waiting = await app.GetSyncAsync(ScriptedBasiq.UserId, syncId);
        Assert.Equal(SyncState.WaitingForBank, waiting.Status);
        Assert.Equal(["success", JobStep.UnknownStatus], waiting.Jobs[0].Steps.Select(step => step.Status));

        _basiq.Jobs["job-1"] = ScriptedBasiq.Job("job-1", "c1");

        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(ScriptedBasiq.UserId, syncId)).Status);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(1)]
    public async Task A_transaction_that_a_shifted_page_brings_again_counts_once(int pagesPerActivity)
    {
        // New transactions push the others down while pages are read: each begins with the end of the one before, the last with all.
        _basiq.Page = (_, next) => next switch
        {
            null => (Ids("t1", "t2", "t3"), "2"),
            "2" => (Ids("t3", "t\\u0034", "t5"), "3"),
            "3" => (Ids("t5", "t5", "t6"), "4"),
            _ => (Ids("t1", "t4", "t6", "t7"), null),
        };
        _basiq.Accounts = [ScriptedBasiq.Account("a1", "c1")];
        await using var app = await StartAsync($"Sync:PagesPerActivity={pagesPerActivity}");

        var sync = await SyncAsync(app);

        Assert.Equal((SyncState.Completed, 7L), (sync.Status, sync.Transactions));
        Assert.Equal(["t1", "t2", "t3", "t4", "t5", "t6", "t7"], await TransactionsAsync(app, "a1"));
    }

    [Theory]
    [InlineData(20)]
    [InlineData(1)]
    public async Task Pages_that_lead_in_a_circle_end_the_account(int pagesPerActivity)
    {
        _basiq.Page = (account, next) => account == "b1"
            ? (Ids("only"), null)
            : (Ids($"t{next}"), next switch { null => "x", "x" => "y", _ => "x" });
        await using var app = await StartAsync($"Sync:PagesPerActivity={pagesPerActivity}");

        var sync = await SyncAsync(app);

        Assert.Equal((SyncState.Partial, "endless-pages", 1), (sync.Status, sync.Error?.Code, sync.Accounts.Fetched));
        Assert.Equal(4, _basiq.Count("GET /users/user-1/transactions"));
        Assert.Equal(["only"], await TransactionsAsync(app, "b1"));
    }

    [Theory]
    [InlineData(20, true)]
    [InlineData(7, false)]
    [InlineData(1, true)]
    public async Task Fifty_pages_in_a_row_without_a_new_transaction_end_the_account(int pagesPerActivity, bool areEmpty)
    {
        _basiq.Page = (_, next) => int.Parse(next ?? "0", null) is var page && page < 3
            ? (Ids($"t{page}"), $"{page + 1}")
            : (areEmpty ? [] : Ids("t0", "t2"), $"{page + 1}");
        _basiq.Accounts = [ScriptedBasiq.Account("a1", "c1")];
        await using var app = await StartAsync($"Sync:PagesPerActivity={pagesPerActivity}");

        var sync = await SyncAsync(app);

        Assert.Equal((SyncState.Partial, "endless-pages", 3L), (sync.Status, sync.Error?.Code, sync.Transactions));
        Assert.Equal(53, _basiq.Count("GET /users/user-1/transactions"));
    }

    [Fact]
    public async Task Forty_nine_pages_without_a_new_transaction_are_gone_through()
    {
        _basiq.Page = (_, next) => int.Parse(next ?? "0", null) is var page && page < 50
            ? (page == 0 ? Ids("t0") : [], $"{page + 1}")
            : (Ids("t1"), null);
        _basiq.Accounts = [ScriptedBasiq.Account("a1", "c1")];
        await using var app = await StartAsync("Sync:PagesPerActivity=20");

        var sync = await SyncAsync(app);

        Assert.Equal((SyncState.Completed, 2L), (sync.Status, sync.Transactions));
        Assert.DoesNotContain(app.State.Files, file => file.EndsWith(".trail", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_transaction_is_on_the_day_that_the_bank_s_statement_gives_it()
    {
        _basiq.Page = (_, _) => (
            [
                ScriptedBasiq.Transaction("july-1", "2026-06-30T14:00:00Z"), ScriptedBasiq.Transaction("web", "2026-07-01T00:00:00Z"),
                ScriptedBasiq.Transaction("june-30", "2026-06-30T13:59:59Z"),
            ],
            null);
        await using var app = await StartAsync();
        await SyncAsync(app);

        Assert.Equal(["july-1", "web"], await TransactionsAsync(app, "a1", "from=2026-07-01"));
        Assert.Equal(["june-30"], await TransactionsAsync(app, "a1", "to=2026-06-30"));
    }

    [Fact]
    public async Task A_job_that_is_missed_once_is_followed_to_its_end()
    {
        _basiq.Jobs["job-1"] = ScriptedBasiq.Job("job-1", "c1", "in-progress");
        var polls = 0;
        _basiq.Instead = request => request == "GET /jobs/job-1" && Interlocked.Increment(ref polls) == 1 ? ScriptedBasiq.NotFound() : null;
        await using var app = await StartAsync();
        var syncId = await StartSyncAsync(app, "job-1");
        await AppUnderTest.WaitForAsync(() => Task.FromResult(Volatile.Read(ref polls)), count => count > 2);
        _basiq.Jobs["job-1"] = ScriptedBasiq.Job("job-1", "c1");

        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(ScriptedBasiq.UserId, syncId)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_sync_that_ended_without_its_job_is_started_again_by_whoever_asks_for_it(bool isLost)
    {
        var clock = StandingClock.New();
        _basiq.Jobs["job-1"] = ScriptedBasiq.Job("job-1", "c1", "in-progress");
        await using var app = await StartAsync(clock);
        var syncId = await StartSyncAsync(app, "job-1");
        if (isLost)
            _basiq.Instead = request => request == "GET /jobs/job-1" ? ScriptedBasiq.NotFound() : null;
        var ended = await app.WaitForSyncAsync(ScriptedBasiq.UserId, syncId, () => clock.Advance(TimeSpan.FromSeconds(10)));
        Assert.Equal((SyncState.Failed, isLost), (ended.Status, ended.Jobs[0].IsLost));

        // Where Basiq still does not know the job, the sync tells what it told.
        if (isLost)
        {
            _basiq.ListedJobs = [];
            var (same, status, again) = await PostSyncAsync(app, "job-1");
            Assert.Equal((syncId, "failed", false), (same, status, again));
        }

        _basiq.Instead = _ => null;
        _basiq.ListedJobs = null;
        _basiq.Jobs["job-1"] = ScriptedBasiq.Job("job-1", "c1");
        var (restarted, _, isAgain) = await PostSyncAsync(app, "job-1");
        Assert.Equal((syncId, true), (restarted, isAgain));
        var sync = await app.WaitForSyncAsync(ScriptedBasiq.UserId, syncId, () => clock.Advance(TimeSpan.FromSeconds(1)));

        Assert.Equal(SyncState.Completed, sync.Status);
        Assert.Equal(["a1", "b1"], await AccountsAsync(app));
        Assert.Equal((syncId, "completed", false), await PostSyncAsync(app, "job-1"));
    }

    [Fact]
    public async Task A_sync_whose_bank_refused_is_not_started_again()
    {
        _basiq.Jobs["job-1"] = ScriptedBasiq.Job("job-1", "c1", "failed");
        await using var app = await StartAsync();
        var sync = await SyncAsync(app);
        Assert.Equal(SyncState.Failed, sync.Status);

        Assert.Equal((sync.SyncId, "failed", false), await PostSyncAsync(app, "job-1"));
    }

    [Fact]
    public async Task A_sync_whose_data_could_not_be_fetched_is_started_again()
    {
        _basiq.Instead = request => request == "GET /users/user-1/accounts" ? ScriptedBasiq.Json("{}", HttpStatusCode.Forbidden) : null;
        await using var app = await StartAsync("Sync:MaxAttempts=1", "Basiq:MaxRetries=0");
        var sync = await SyncAsync(app);
        Assert.Equal(SyncState.Failed, sync.Status);
        _basiq.Instead = _ => null;

        Assert.True((await PostSyncAsync(app, "job-1")).StartedAgain);

        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(ScriptedBasiq.UserId, sync.SyncId)).Status);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.BadRequest)]
    public async Task A_sync_that_fetches_outlives_a_key_that_is_refused_for_hours(HttpStatusCode status)
    {
        var clock = StandingClock.New();
        var begun = clock.GetUtcNow();
        var refusals = 0;
        _basiq.Page = (account, next) => next is null ? (Ids($"1-of-{account}"), "2") : (Ids($"2-of-{account}"), null);
        _basiq.Instead = request => clock.GetUtcNow() - begun >= TimeSpan.FromHours(3) ? null : request switch
        {
            "POST /token" when Volatile.Read(ref refusals) > 0 => ScriptedBasiq.Json(
                """{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"resource-not-found","title":"Not found","detail":"Check your API key"}]}""", status),
            "GET /users/user-1/transactions" when _basiq.Count(request) > 1 && Interlocked.Increment(ref refusals) > 0 =>
                ScriptedBasiq.Json("{}", HttpStatusCode.Unauthorized),
            _ => null,
        };
        await using var app = await StartAsync(clock);
        var syncId = await StartSyncAsync(app, "job-1");

        var sync = await app.WaitForSyncAsync(ScriptedBasiq.UserId, syncId, clock, TimeSpan.FromMinutes(1));

        Assert.Equal((SyncState.Completed, 2, 4L, null), (sync.Status, sync.Accounts.Fetched, sync.Transactions, sync.Error));
        Assert.True(sync.UpdatedAt - begun >= TimeSpan.FromHours(3), $"It ended after {sync.UpdatedAt - begun}.");
        Assert.InRange(_basiq.Count("POST /token"), new SyncOptions().MaxAttempts + 2, 30);
        Assert.Equal(["1-of-b1", "2-of-b1"], await TransactionsAsync(app, "b1"));
    }

    [Fact]
    public async Task A_sync_that_could_not_fetch_one_account_is_started_again_and_brings_it()
    {
        _basiq.Instead = request =>
            request == "GET /users/user-1/transactions" && _basiq.Count(request) == 1 ? ScriptedBasiq.Json("{}", HttpStatusCode.BadRequest) : null;
        await using var app = await StartAsync("Basiq:MaxRetries=0", "Sync:MaxParallelAccounts=1", "Sync:MaxAttempts=1");
        var sync = await SyncAsync(app);
        Assert.Equal((SyncState.Partial, 1), (sync.Status, sync.Accounts.Fetched));

        Assert.True((await PostSyncAsync(app, "job-1")).StartedAgain);

        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(ScriptedBasiq.UserId, sync.SyncId)).Status);
        Assert.Equal(["t-of-a1", "t-of-b1"], [.. await TransactionsAsync(app, "a1"), .. await TransactionsAsync(app, "b1")]);
        Assert.Equal((sync.SyncId, "completed", false), await PostSyncAsync(app, "job-1"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_sync_that_lacks_what_a_bank_refused_or_records_that_cannot_be_read_is_not_started_again(bool isRefused)
    {
        if (isRefused)
            _basiq.Jobs["job-2"] = ScriptedBasiq.Job("job-2", "c2", "failed");
        else
            _basiq.Accounts = [ScriptedBasiq.Account("a1", "c1"), "null"];
        string[] jobs = [.. _basiq.Jobs.Keys];
        await using var app = await StartAsync();
        var sync = await SyncAsync(app, jobs);
        Assert.Equal((SyncState.Partial, isRefused ? null : "accounts-skipped"), (sync.Status, sync.Error?.Code));

        Assert.Equal((sync.SyncId, "partial", false), await PostSyncAsync(app, jobs));
    }

    [Fact]
    public async Task Many_who_start_a_lost_sync_again_start_it_once()
    {
        var clock = StandingClock.New();
        _basiq.Jobs["job-1"] = ScriptedBasiq.Job("job-1", "c1", "in-progress");
        await using var app = await StartAsync(clock);
        var syncId = await StartSyncAsync(app, "job-1");
        await app.WaitForSyncAsync(ScriptedBasiq.UserId, syncId, () => clock.Advance(TimeSpan.FromSeconds(10)));
        _basiq.Jobs["job-1"] = ScriptedBasiq.Job("job-1", "c1");

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => PostSyncAsync(app, "job-1")));

        Assert.All(answers, answer => Assert.Equal(syncId, answer.SyncId));
        await app.WaitForSyncAsync(ScriptedBasiq.UserId, syncId, () => clock.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(1, _basiq.Count("GET /users/user-1/accounts"));
    }

    [Fact]
    public async Task A_refresh_whose_job_is_in_no_list_yet_is_followed_by_its_id()
    {
        _basiq.Instead = request => request switch
        {
            "GET /users/user-1/connections/c1" => ScriptedBasiq.Json("""{"type":"connection","id":"c1","status":"active"}"""),
            "POST /users/user-1/connections/c1/refresh" => ScriptedBasiq.Json("""{"type":"job","id":"job-new","links":{"self":"x"}}""", HttpStatusCode.Accepted),
            "GET /jobs/job-new" when _basiq.Count("GET /jobs/job-new") == 1 => ScriptedBasiq.NotFound(),
            _ => null,
        };
        _basiq.ListedJobs = [];
        await using var app = await StartAsync();
        using var answer = await app.Api.PostAsJsonAsync("users/user-1/refresh", new { connectionId = "c1" });
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var syncId = (await AppUnderTest.ReadAsync(answer)).GetProperty("syncId").GetString()!;
        _basiq.Jobs["job-new"] = ScriptedBasiq.Job("job-new", "c1");

        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(ScriptedBasiq.UserId, syncId)).Status);
    }

    [Fact]
    public async Task A_job_that_Basiq_does_not_know_and_nobody_vouches_for_starts_nothing()
    {
        await using var app = await StartAsync();

        using var answer = await app.Api.PostAsJsonAsync("users/user-1/syncs", new { jobIds = Unknown });

        await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.NotFound, "job-not-found");
    }

    private static string[] Ids(params string[] ids) => [.. ids.Select(id => ScriptedBasiq.Transaction(id))];

    private Task<AppUnderTest> StartAsync(params string[] settings) => AppUnderTest.StartAsync(["Sync:MaxPollDelay=00:00:00.1", .. settings], configure: _basiq.Attach);

    private Task<AppUnderTest> StartAsync(TimeProvider clock) => AppUnderTest.StartAsync(clock: clock, configure: _basiq.Attach);

    private static async Task<SyncAnswer> SyncAsync(AppUnderTest app, params string[] jobIds) =>
        await app.WaitForSyncAsync(ScriptedBasiq.UserId, await StartSyncAsync(app, jobIds.Length == 0 ? ["job-1"] : jobIds));

    private static async Task<string> StartSyncAsync(AppUnderTest app, params string[] jobIds) => (await PostSyncAsync(app, jobIds)).SyncId;

    private static async Task<(string SyncId, string Status, bool StartedAgain)> PostSyncAsync(AppUnderTest app, params string[] jobIds)
    {
        using var answer = await app.Api.PostAsJsonAsync($"users/{ScriptedBasiq.UserId}/syncs", new { jobIds });
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var body = await AppUnderTest.ReadAsync(answer);
        return (
            body.GetProperty("syncId").GetString()!, body.GetProperty("status").GetString()!,
            body.TryGetProperty("startedAgain", out var again) && again.GetBoolean());
    }

    private static async Task<string[]> AccountsAsync(AppUnderTest app)
    {
        var accounts = await app.Api.GetFromJsonAsync<JsonElement>($"users/{ScriptedBasiq.UserId}/accounts");
        return [.. accounts.GetProperty("accounts").EnumerateArray().Select(a => a.GetProperty("id").GetString()!).Order(StringComparer.Ordinal)];
    }

    private static async Task<string[]> TransactionsAsync(AppUnderTest app, string accountId, string query = "limit=500")
    {
        var page = await app.Api.GetFromJsonAsync<JsonElement>($"users/{ScriptedBasiq.UserId}/accounts/{accountId}/transactions?{query}");
        return [.. page.GetProperty("transactions").EnumerateArray().Select(t => t.GetProperty("id").GetString()!)];
    }
}
