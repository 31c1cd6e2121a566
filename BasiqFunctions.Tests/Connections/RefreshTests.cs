using System.Globalization;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Users;
using Microsoft.Extensions.DependencyInjection;
using Moq;
using static BasiqFunctions.Tests.Users.UsersScene;

namespace BasiqFunctions.Tests.Connections;

/// <summary>A refresh visits a bank only where that brings something and the day's budget allows it, and connections tell how they are.</summary>
[Trait("Category", "Unit")]
public sealed class RefreshTests : IDisposable
{
    private const string Endpoint = "POST /users/{userId}/connections/{connectionId}/refresh";

    private readonly UsersScene _scene = new();
    private int _visits;

    public RefreshTests() => KnowsJobs();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("""{"force":null,"attended":null,"connectionId":null}""")]
    public async Task A_refresh_of_all_banks_follows_the_jobs_that_Basiq_gives(string? body)
    {
        Has(Connection("c1"), Connection("c2"));
        Visits("c1", "a");
        Visits("c2", "b");

        var answer = await Refresh(body);

        Assert.Equal(202, answer.Status);
        Assert.Equal($"/api/users/{Someone}/syncs/{SyncIds.For(Someone, [new("a"), new("b")])}", answer.Headers.Location);
        Assert.Equal("waiting-for-bank", answer.Json.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_job_that_is_running_is_followed_and_the_bank_is_not_visited_again()
    {
        Has(Connection("c1"));
        KnowsJobs(Job("a", "c1", "in-progress"));

        Assert.Equal(SyncIds.For(Someone, [new("a")]), (await Refresh("""{"connectionId":"c1","force":true}""")).Json.GetProperty("syncId").GetString());
        Assert.Equal(SyncIds.For(Someone, [new("a")]), (await Refresh(null)).Json.GetProperty("syncId").GetString());

        Assert.Single(_scene.Durable.Scheduled);
        Assert.Equal(0, _visits);
    }

    [Fact]
    public async Task A_job_that_is_running_is_followed_also_where_the_sync_that_followed_it_was_cancelled()
    {
        Has(Connection("c1"));
        KnowsJobs(Job("a", "c1", "in-progress"));
        var syncId = SyncIds.For(Someone, [new("a")]);
        _scene.Durable.Show(
            syncId, new SyncProgress(SyncState.Cancelled, [], new AccountProgress(0, 0), 0), Microsoft.DurableTask.Client.OrchestrationRuntimeStatus.Completed);

        var answer = await Refresh("""{"connectionId":"c1","force":true}""");

        Assert.Equal((syncId, "waiting-for-bank"), (answer.Json.GetProperty("syncId").GetString(), answer.Json.GetProperty("status").GetString()));
        Assert.Equal([syncId], _scene.Durable.Scheduled);
        Assert.Equal(0, _visits);
    }

    [Fact]
    public async Task A_job_that_only_the_list_has_is_not_followed()
    {
        Has(Connection("c1"));
        Visits("c1");
        KnowsJobs(Job("a", "c1", "in-progress"));
        _scene.Basiq.Setup(b => b.GetJobAsync(new("a"), It.IsAny<CancellationToken>())).ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, "GET /jobs/{jobId}"));

        await Refresh("""{"connectionId":"c1","force":true}""");

        Assert.Equal(1, _visits);
    }

    [Fact]
    public async Task What_Basiq_fetched_a_moment_ago_is_fresh_unless_it_is_forced_or_failed()
    {
        var usedAt = _scene.Clock.GetUtcNow();
        _scene.Clock.Advance(TimeSpan.FromMinutes(5));
        await _scene.PublishAsync(Someone, "c1");
        var fetchedAt = _scene.Clock.GetUtcNow();
        Has(Connection("c1", lastUsed: usedAt));
        Visits("c1", "a");

        var fresh = await Refresh("""{"connectionId":"c1"}""");
        Assert.Equal((200, "fresh"), (fresh.Status, fresh.Json.GetProperty("status").GetString()));
        Assert.Equal(fetchedAt, fresh.Json.GetProperty("lastFetchedAt").GetDateTimeOffset());
        Assert.Equal(0, _visits);

        Assert.Equal(202, (await Refresh("""{"connectionId":"c1","force":true}""")).Status);
        KnowsJobs(Job("z", "c1", "failed"));
        Assert.Equal(202, (await Refresh("""{"connectionId":"c1"}""")).Status);
        KnowsJobs();
        _scene.Clock.Advance(TimeSpan.FromMinutes(56));
        Assert.Equal(202, (await Refresh("""{"connectionId":"c1"}""")).Status);
        Assert.Equal(3, _visits);
    }

    [Fact]
    public async Task A_bank_that_is_fresh_hides_nothing_of_one_that_needs_the_person()
    {
        var usedAt = _scene.Clock.GetUtcNow();
        _scene.Clock.Advance(TimeSpan.FromMinutes(5));
        await _scene.PublishAsync(Someone, "c1");
        Has(Connection("c1", lastUsed: usedAt), Connection("c2", "invalid"));

        var answer = await Refresh(null);

        Assert.Equal((200, "fresh"), (answer.Status, answer.Json.GetProperty("status").GetString()));
        var attention = Assert.Single(answer.Json.GetProperty("attention").EnumerateArray());
        Assert.Equal(("c2", "reconnect"), (attention.GetProperty("connectionId").GetString(), attention.GetProperty("nextAction").GetString()));
    }

    [Fact]
    public async Task Basiq_s_list_is_not_kept_of_somebody_whose_data_goes_while_it_is_asked()
    {
        await _scene.PublishAsync(Someone, "c1");
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(Someone, It.IsAny<CancellationToken>())).Returns(async () =>
        {
            await _scene.Snapshots.Removal.RemoveUserAsync(Someone, default);
            return [Connection("c1")];
        });

        await List("?live=true");

        Assert.Empty(await _scene.Services.GetRequiredKeyedService<IRecordTable>(ConnectionOptions.Section).ListAsync($"user-{Someone}", 10, null, default));
    }

    [Fact]
    public async Task What_Basiq_has_and_this_app_has_not_is_fetched_without_a_visit()
    {
        await _scene.PublishAsync(Someone, "c1");
        _scene.Clock.Advance(TimeSpan.FromMinutes(5));
        Has(Connection("c1", lastUsed: _scene.Clock.GetUtcNow()));

        var answer = await Refresh("""{"connectionId":"c1"}""");

        Assert.Equal((202, SyncIds.ForConnections(Someone, [new("c1")])), (answer.Status, answer.Json.GetProperty("syncId").GetString()));
        Assert.Equal(0, _visits);
    }

    [Theory]
    [InlineData("invalid", "open-banking", "reconnect", """{"action":"reauthorise","connectionId":"c1"}""")]
    [InlineData("invalid-connection", "web", "reconnect", """{"action":"update","connectionId":"c1"}""")]
    [InlineData("pre-init", "open-banking", "finish-connecting", """{"action":"connect","institutionId":"AU00000"}""")]
    [InlineData("init", "open-banking", "finish-connecting", """{"action":"connect","institutionId":"AU00000"}""")]
    [InlineData("pending", "open-banking", "retry-later", null)]
    public async Task A_connection_that_is_not_active_is_answered_with_its_next_action_and_shown_with_it(string status, string method, string action, string? continues)
    {
        Has(Connection("c1", status, method: method));

        var answer = await Refresh("""{"connectionId":"c1","force":true}""");
        Assert.Equal((200, "needs-attention"), (answer.Status, answer.Json.GetProperty("status").GetString()));
        Shows(answer.Json.GetProperty("attention")[0]);
        Assert.Equal(0, _visits);

        var listed = (await List()).Json.GetProperty("connections")[0];
        Assert.Equal(status, listed.GetProperty("status").GetString());
        Assert.False(listed.TryGetProperty("nextRefreshAllowedAt", out _));
        Shows(listed.GetProperty("attention"));

        void Shows(JsonElement attention)
        {
            Assert.Equal(action, attention.GetProperty("nextAction").GetString());
            Assert.Equal(continues, attention.TryGetProperty("continueWith", out var with) ? with.GetRawText() : null);
        }
    }

    [Theory]
    [InlineData("invalid-credentials", 200)]
    [InlineData("account-not-accessible-requires-user-action", 202)]
    [InlineData("service-unavailable", 202)]
    public async Task What_is_invalid_is_refreshed_where_that_can_heal_it(string code, int status)
    {
        Has(Connection("c1", "invalid"));
        Visits("c1");
        KnowsJobs(Failed("z", "c1", code));

        Assert.Equal(status, (await Refresh("""{"connectionId":"c1"}""")).Status);

        Assert.Equal(status is 202 ? 1 : 0, _visits);
    }

    [Fact]
    public async Task People_have_a_part_of_the_day_s_visits_to_themselves_and_the_next_day_begins_in_Sydney()
    {
        Has(Connection("c1"));
        Visits("c1");
        const string program = """{"connectionId":"c1","force":true,"attended":false}""", person = """{"connectionId":"c1","force":true}""";

        for (var visit = 0; visit < 12; visit++)
            Assert.Equal(202, (await Refresh(program)).Status);
        Spent(await Refresh(program));
        Assert.Equal(8, (await List()).Json.GetProperty("connections")[0].GetProperty("refreshesLeftToday").GetInt32());
        for (var visit = 0; visit < 8; visit++)
            Assert.Equal(202, (await Refresh(person)).Status);
        Spent(await Refresh(person));
        var state = (await List()).Json.GetProperty("connections")[0];
        Assert.Equal(0, state.GetProperty("refreshesLeftToday").GetInt32());
        Assert.Equal(new DateTimeOffset(2024, 6, 1, 14, 0, 0, TimeSpan.Zero), state.GetProperty("nextRefreshAllowedAt").GetDateTimeOffset());
        Assert.Equal(20, _visits);

        // It is 10 p.m. in Sydney.
        _scene.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(202, (await Refresh(program)).Status);

        void Spent(Answer answer)
        {
            answer.IsProblem(429, "refresh-budget-spent");
            Assert.Equal("7200", answer.Headers.RetryAfter.ToString());
        }
    }

    [Fact]
    public async Task A_bank_that_is_read_through_its_web_pages_has_no_budget()
    {
        Has(Connection("c1", method: "web"));
        Visits("c1");

        for (var visit = 0; visit < 25; visit++)
            Assert.Equal(202, (await Refresh("""{"force":true}""")).Status);

        Assert.False((await List()).Json.GetProperty("connections")[0].TryGetProperty("refreshesLeftToday", out _));
    }

    [Theory]
    [InlineData(BasiqFailureKind.Invalid, 20)]
    [InlineData(BasiqFailureKind.Overloaded, 20)]
    [InlineData(BasiqFailureKind.Timeout, 19)]
    [InlineData(BasiqFailureKind.Unavailable, 19)]
    public async Task A_visit_that_Basiq_did_not_make_is_put_back_and_one_that_it_may_have_made_is_not(BasiqFailureKind kind, int left)
    {
        Has(Connection("c1"));
        _scene.Basiq.Setup(b => b.RefreshConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>())).ThrowsAsync(Failure(kind, null, Endpoint));

        Assert.True((await Refresh(null)).Status >= 400);

        Assert.Equal(left, (await List()).Json.GetProperty("connections")[0].GetProperty("refreshesLeftToday").GetInt32());
    }

    // Basiq says access-denied of whatever the key may not do.
    [Theory]
    [InlineData(BasiqFailureKind.Forbidden, 403, "access-denied", 502, "basiq-refused")]
    [InlineData(BasiqFailureKind.Overloaded, 429, "too-many-requests", 429, "basiq-overloaded")]
    public async Task That_Basiq_refuses_a_refresh_does_not_spend_the_day(BasiqFailureKind kind, int status, string basiqCode, int answered, string code)
    {
        Has(Connection("c1"));
        _scene.Basiq.Setup(b => b.RefreshConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ThrowsAsync(new BasiqException(new BasiqFailure(kind, basiqCode) { StatusCode = status, Endpoint = Endpoint }));

        (await Refresh(null)).IsProblem(answered, code);

        Assert.Equal(20, (await List()).Json.GetProperty("connections")[0].GetProperty("refreshesLeftToday").GetInt32());
        Visits("c1", "a");
        Assert.Equal(202, (await Refresh(null)).Status);
    }

    [Fact]
    public async Task A_crowd_that_is_given_one_job_has_made_one_visit()
    {
        Has(Connection("c1"));
        Visits("c1", "a");

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => Refresh("""{"force":true}"""))));

        Assert.All(answers, answer => Assert.Equal(202, answer.Status));
        Assert.Equal(19, (await List()).Json.GetProperty("connections")[0].GetProperty("refreshesLeftToday").GetInt32());
    }

    [Fact]
    public async Task Nothing_to_refresh_is_a_conflict_and_an_unknown_connection_or_user_says_which()
    {
        Has(Connection("c1", method: "pdf"));
        (await Refresh(null)).IsProblem(409, "no-connections");
        (await Refresh("""{"connectionId":"c9"}""")).IsProblem(404, "connection-not-found");
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(Someone, It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, "GET /users/{userId}/connections"));
        (await Refresh(null)).IsProblem(404, "user-not-found");
    }

    [Fact]
    public async Task One_bank_that_fails_does_not_keep_the_others_from_being_followed()
    {
        Has(Connection("c1"), Connection("c2"));
        Visits("c1", "a");
        _scene.Basiq.Setup(b => b.RefreshConnectionAsync(Someone, new("c2"), It.IsAny<CancellationToken>())).ThrowsAsync(Failure(BasiqFailureKind.Timeout, null, Endpoint));

        Assert.Equal(SyncIds.For(Someone, [new("a")]), (await Refresh(null)).Json.GetProperty("syncId").GetString());
    }

    [Fact]
    public async Task Connections_are_listed_as_Basiq_gives_them_with_how_they_are()
    {
        await _scene.PublishAsync(Someone, "c1");
        Has(BasiqFunctions.Basiq.Models.Connection.Parse("""{"type":"connection","id":"c1","status":"active","expiryDate":"2025-06-01T00:00:00Z","later":[1.50,null],"isStale":"theirs"}"""));

        var answer = await List();

        Assert.Equal(
            (200, """{"connections":[{"type":"connection","id":"c1","status":"active","expiryDate":"2025-06-01T00:00:00Z","later":[1.50,null],"lastFetchedAt":"2024-06-01T12:00:00+00:00","isStale":false,"nextRefreshAllowedAt":"2024-06-01T12:00:00+00:00","refreshesLeftToday":20,"consentEndsAt":"2025-06-01T00:00:00+00:00"}],"asOf":"2024-06-01T12:00:00+00:00"}"""),
            (answer.Status, answer.Body));
        Assert.Equal("no-store", answer.Headers.CacheControl);
        _scene.Clock.Advance(TimeSpan.FromHours(36));
        Assert.True((await List()).Json.GetProperty("connections")[0].GetProperty("isStale").GetBoolean());
    }

    [Fact]
    public async Task The_list_is_kept_until_something_happens_and_asked_for_when_it_is_to_be_live()
    {
        await _scene.PublishAsync(Someone, "c1");
        Has(Connection("c1"));
        await List();
        await List();
        Asked(1);
        await List("?live=true");
        Asked(2);
        await _scene.Get<ConnectionStates>().ForgetAsync(Someone, default);
        await List();
        Asked(3);
        _scene.Clock.Advance(TimeSpan.FromMinutes(1));
        await _scene.PublishByAsync("sync-later", Someone, "c1");
        await List();
        Asked(4);
        _scene.Clock.Advance(TimeSpan.FromHours(1));
        await List();
        Asked(5);

        // The person may be mending it.
        Has(Connection("c1", "invalid"));
        await List("?live=true");
        await List();
        Asked(7);
        (await List("?live=maybe")).Names("live");

        void Asked(int times) => _scene.Basiq.Verify(b => b.ListConnectionsAsync(Someone, It.IsAny<CancellationToken>()), Times.Exactly(times));
    }

    private static Connection Connection(string id, string status = "active", DateTimeOffset? lastUsed = null, string method = "open-banking") =>
        BasiqFunctions.Basiq.Models.Connection.Parse(JsonSerializer.Serialize(new
        {
            id,
            status,
            method,
            institution = new { id = "AU00000" },
            lastUsed = lastUsed?.ToString("O", CultureInfo.InvariantCulture) ?? "2024-05-01T00:00:00Z",
        }));

    private static Job Job(string id, string connectionId, string status) => new()
    {
        Id = new(id),
        Steps = [new JobStep { Title = "verify-credentials", Status = status }],
        Links = new JobLinks { Source = $"https://basiq.example/users/{Someone}/connections/{connectionId}" },
    };

    private static Job Failed(string id, string connectionId, string code) => Job(id, connectionId, "failed") with
    {
        Steps = [new JobStep { Title = "verify-credentials", Status = "failed", Result = new JobStepResult { Code = code } }],
    };

    private void Has(params Connection[] connections)
    {
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(Someone, It.IsAny<CancellationToken>())).ReturnsAsync(connections);
        foreach (var connection in connections)
            _scene.Basiq.Setup(b => b.GetConnectionAsync(Someone, connection.Id, It.IsAny<CancellationToken>())).ReturnsAsync(connection);
    }

    private void KnowsJobs(params Job[] jobs)
    {
        _scene.Basiq.Setup(b => b.ListJobsAsync(Someone, It.IsAny<CancellationToken>())).ReturnsAsync(jobs);
        _scene.Basiq.Setup(b => b.GetJobAsync(It.IsAny<JobId>(), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, "GET /jobs/{jobId}"));
        foreach (var job in jobs)
            _scene.Basiq.Setup(b => b.GetJobAsync(job.Id, It.IsAny<CancellationToken>())).ReturnsAsync(job);
    }

    /// <summary>Basiq makes visits: under one job, or each under its own.</summary>
    private void Visits(string connectionId, string? jobId = null) =>
        _scene.Basiq.Setup(b => b.RefreshConnectionAsync(Someone, new(connectionId), It.IsAny<CancellationToken>()))
            .ReturnsAsync(() =>
            {
                var visit = Interlocked.Increment(ref _visits);
                return [new(jobId ?? $"job-{visit}")];
            });

    private Task<Answer> List(string query = "") => _scene.CallAsync<ConnectionFunctions>((f, r) => f.ListConnections(r, Someone, default), query: query);

    private Task<Answer> Refresh(string? body) =>
        _scene.CallAsync<ConnectionFunctions>((f, r) => f.RefreshConnections(r, Someone, _scene.Durable.Client, default), body);
}
