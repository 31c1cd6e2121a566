using System.Net;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Health;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Users;
using Microsoft.Extensions.DependencyInjection;
using Moq;

namespace BasiqFunctions.Tests.Platform.Health;

[Trait("Category", "Unit")]
public sealed class HealthTests : IDisposable
{
    private readonly Mock<IServerTokenProvider> _tokens = new(MockBehavior.Strict);
    private readonly BasiqDouble _upstream = new();
    private readonly UsersScene _scene;
    private Mock<ISnapshotStorage>? _storage;
    private string? _failing;
    private int _recordsAsked;
    private int _taskHubAsked;

    public HealthTests()
    {
        _scene = new UsersScene(services =>
        {
            services.AddSingleton(_tokens.Object);
            services.AddHttpClient(BasiqHealth.HttpClientName).ConfigurePrimaryHttpMessageHandler(() => _upstream);
            services.AddSingleton<IRecordTables>(new Tables(() => Count("records", ref _recordsAsked)));
            services.AddSingleton<ISnapshotStorage>(_ => (_storage ??= Storage(Task.FromResult<string?>("etag"))).Object);
        });
        Mock.Get(_scene.Durable.Client)
            .Setup(c => c.GetInstanceAsync("health", It.IsAny<bool>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync(() =>
            {
                Count("task-hub", ref _taskHubAsked);
                return null;
            });
        Holds(TimeSpan.FromMinutes(30), null);
    }

    public void Dispose()
    {
        _scene.Dispose();
        _upstream.Dispose();
    }

    [Fact]
    public async Task All_is_well()
    {
        var answer = await Ask();

        Assert.Equal((200, "no-store"), (answer.Status, answer.Headers.CacheControl.ToString()));
        Assert.Equal("healthy", answer.Json.GetProperty("status").GetString());
        Assert.Equal(["server-token", "key-vault", "snapshots", "records", "task-hub", "basiq", "notifications"], Lines(answer).Select(l => l.Name));
        Assert.All(Lines(answer), line => Assert.Equal("healthy", line.Status));
        Assert.All(CheckedAt(answer), at => Assert.Equal(_scene.Clock.GetUtcNow(), at));
    }

    [Fact]
    public async Task Without_Key_Vault_a_living_token_keeps_the_app_up()
    {
        _scene.Vault.IsDown = true;

        var answer = await Ask();

        Assert.Equal((200, "degraded"), (answer.Status, answer.Json.GetProperty("status").GetString()));
        Assert.Equal(("key-vault", "degraded", "unreachable"), Lines(answer)[1]);
    }

    [Fact]
    public async Task A_Key_Vault_that_answers_but_did_not_take_the_token_is_degraded()
    {
        Holds(TimeSpan.FromMinutes(30), "Forbidden");

        var answer = await Ask();

        Assert.Equal(200, answer.Status);
        Assert.Equal("degraded", Lines(answer)[1].Status);
        Assert.Contains("Forbidden", Lines(answer)[1].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_Key_Vault_and_token_the_app_is_down()
    {
        _scene.Vault.IsDown = true;
        _tokens.Setup(t => t.GetHealth()).Returns(new TokenHealth(null, null, "unreachable"));
        _tokens.Setup(t => t.GetAsync(It.IsAny<CancellationToken>()))
            .ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Unavailable, 500, "POST /token"));

        var answer = await Ask();

        Assert.Equal((503, "unhealthy"), (answer.Status, answer.Json.GetProperty("status").GetString()));
        Assert.Equal(("server-token", "unhealthy", "basiq-code"), Lines(answer)[0]);
        Assert.Equal("unhealthy", Lines(answer)[1].Status);
    }

    [Fact]
    public async Task A_token_that_is_not_there_yet_is_fetched()
    {
        var now = _scene.Clock.GetUtcNow();
        _tokens.Setup(t => t.GetHealth()).Returns(new TokenHealth(null, null, null));
        _tokens.Setup(t => t.GetAsync(It.IsAny<CancellationToken>()))
            .ReturnsAsync(new ServerToken("the-server-token", now, now.AddHours(1)));

        var answer = await Ask();

        Assert.Equal(("server-token", "healthy", $"minted 0 s ago, expires {now.AddHours(1):u}"), Lines(answer)[0]);
        Assert.DoesNotContain("the-server-token", answer.Body + _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_s_line_says_how_old_it_is_and_when_it_expires()
    {
        var now = _scene.Clock.GetUtcNow();

        Assert.Equal(
            ("server-token", "healthy", $"minted 1800 s ago, expires {now.AddMinutes(30):u}"), Lines(await Ask())[0]);

        // Another machine minted it, and its clock is ahead.
        _tokens.Setup(t => t.GetHealth()).Returns(new TokenHealth(TimeSpan.FromSeconds(-40), now.AddMinutes(60), null));
        _scene.Clock.Advance(DependencyCheck.Freshness);
        Assert.Equal($"minted 0 s ago, expires {now.AddMinutes(60):u}", Lines(await Ask())[0].Detail);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_refused_API_key_is_told_and_tried_whether_or_not_a_token_lives(bool hasToken)
    {
        var now = _scene.Clock.GetUtcNow();
        var health = hasToken ? new TokenHealth(TimeSpan.FromMinutes(1), now.AddMinutes(59), null) : new TokenHealth(null, null, null);
        _tokens.Setup(t => t.GetHealth()).Returns(health with { IsApiKeyRefused = true });
        _tokens.Setup(t => t.RefreshAsync(It.IsAny<CancellationToken>()))
            .ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Forbidden, 403, "POST /token"));

        var refused = await Ask();
        Assert.Equal((503, ("server-token", "unhealthy", "api-key-refused")), (refused.Status, Lines(refused)[0]));
        Assert.DoesNotContain("server-token", _scene.Logs.Text, StringComparison.Ordinal);

        _tokens.Setup(t => t.RefreshAsync(It.IsAny<CancellationToken>()))
            .ReturnsAsync(new ServerToken("the-server-token", now, now.AddHours(1)))
            .Callback(() => Holds(TimeSpan.FromMinutes(30), null));
        _scene.Clock.Advance(DependencyCheck.Freshness);
        var taken = await Ask();
        Assert.Equal((200, "healthy"), (taken.Status, Lines(taken)[0].Status));
    }

    [Fact]
    public async Task A_snapshot_storage_that_fails_is_down()
    {
        _storage = Storage(Task.FromException<string?>(new IOException("/secret/path is full")));

        var answer = await Ask();

        Assert.Equal(503, answer.Status);
        Assert.Equal(("snapshots", "unhealthy", "IOException"), Lines(answer)[2]);
        Assert.DoesNotContain("/secret/path", answer.Body + _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, "healthy", null)]
    [InlineData(HttpStatusCode.NotFound, "healthy", null)]
    [InlineData(HttpStatusCode.BadGateway, "unhealthy", "http-502")]
    [InlineData(null, "unhealthy", "unreachable")]
    public async Task Basiq_is_there_when_it_answers_at_all(HttpStatusCode? upstream, string status, string? detail)
    {
        _upstream.Status = upstream;

        Assert.Equal(("basiq", status, detail), Lines(await Ask())[5]);
        Assert.All(_upstream.Requests, request => Assert.Null(request.Headers.Authorization));
    }

    [Fact]
    public async Task A_dependency_that_never_answers_is_waited_for_two_seconds()
    {
        _storage = Storage(new TaskCompletionSource<string?>().Task);
        _scene.Vault.IsStuck = true;

        var asked = Ask();
        Assert.False(asked.IsCompleted);
        _scene.Clock.Advance(DependencyCheck.Patience);
        var answer = await asked;

        Assert.Equal(503, answer.Status);
        Assert.Equal(("key-vault", "degraded", "timeout"), Lines(answer)[1]);
        Assert.Equal(("snapshots", "unhealthy", "timeout"), Lines(answer)[2]);
    }

    [Theory]
    [InlineData("records", 3)]
    [InlineData("task-hub", 4)]
    public async Task Records_and_the_task_hub_are_needed_as_well(string name, int line)
    {
        _failing = name;

        var answer = await Ask();

        Assert.Equal(503, answer.Status);
        Assert.Equal((name, "unhealthy", "IOException"), Lines(answer)[line]);
        Assert.Equal(6, Lines(answer).Count(l => l.Status == "healthy"));
        Assert.DoesNotContain("/secret/path", answer.Body + _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task However_many_ask_each_dependency_is_asked_once_in_some_seconds()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Ask()));
        AssertAsked(1);

        _scene.Clock.Advance(DependencyCheck.Freshness - TimeSpan.FromTicks(1));
        Assert.All(CheckedAt(await Ask()), at => Assert.Equal(_scene.Clock.GetUtcNow() - DependencyCheck.Freshness + TimeSpan.FromTicks(1), at));
        AssertAsked(1);

        _scene.Clock.Advance(TimeSpan.FromTicks(1));
        await Ask();
        AssertAsked(2);

        // The records are seven tables.
        void AssertAsked(int times)
        {
            Assert.Equal((times, times), (_upstream.Requests.Count, _scene.Vault.Requests));
            _storage!.Verify(s => s.TryPutAsync("health", It.IsAny<ReadOnlyMemory<byte>>(), null, It.IsAny<CancellationToken>()), Times.Exactly(times));
            Assert.Equal((7 * times, times), (_recordsAsked, _taskHubAsked));
        }
    }

    [Fact]
    public async Task A_question_that_is_not_answered_is_not_asked_again_beside_itself()
    {
        var stuck = new TaskCompletionSource<string?>();
        _storage = Storage(stuck.Task);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(("snapshots", "unhealthy", "timeout"), Lines(await AskWhileTimePassesAsync())[2]);
            _scene.Clock.Advance(DependencyCheck.Freshness);
        }

        _storage.Verify(s => s.TryPutAsync("health", It.IsAny<ReadOnlyMemory<byte>>(), null, It.IsAny<CancellationToken>()), Times.Once());
        stuck.SetResult(null);
        Assert.Equal("healthy", Lines(await Ask())[2].Status);
    }

    [Fact]
    public async Task What_has_not_answered_since_the_start_is_starting_for_half_a_minute()
    {
        await _scene.Get<Uptime>().StartAsync(default);
        var stuck = new TaskCompletionSource<string?>();
        _storage = Storage(stuck.Task);

        var first = await AskWhileTimePassesAsync();
        Assert.Equal((200, "starting"), (first.Status, first.Json.GetProperty("status").GetString()));
        Assert.Equal(("snapshots", "starting", "timeout"), Lines(first)[2]);
        Assert.DoesNotContain("snapshots is unhealthy", _scene.Logs.Text, StringComparison.Ordinal);

        _scene.Clock.Advance(DependencyCheck.StartingTime);
        var later = await AskWhileTimePassesAsync();
        Assert.Equal((503, ("snapshots", "unhealthy", "timeout")), (later.Status, Lines(later)[2]));
    }

    [Fact]
    public async Task What_has_answered_once_is_starting_no_more()
    {
        await _scene.Get<Uptime>().StartAsync(default);
        Assert.Equal("healthy", (await Ask()).Json.GetProperty("status").GetString());

        Answers(_storage!, new TaskCompletionSource<string?>().Task);
        _scene.Clock.Advance(DependencyCheck.Freshness);

        Assert.Equal(503, (await AskWhileTimePassesAsync()).Status);
    }

    [Fact]
    public async Task What_answers_that_it_does_not_work_is_not_starting()
    {
        await _scene.Get<Uptime>().StartAsync(default);
        _failing = "records";

        Assert.Equal(503, (await Ask()).Status);
    }

    [Fact]
    public async Task Trouble_is_logged_once_a_minute_and_other_trouble_at_once()
    {
        _failing = "records";
        for (var i = 0; i < 12; i++)
        {
            await Ask();
            _scene.Clock.Advance(DependencyCheck.Freshness);
        }

        Assert.Single(LinesAbout("records"));
        await Ask();
        Assert.Contains("(IOException); failures since the last message: 12", LinesAbout("records")[1], StringComparison.Ordinal);
        _failing = "task-hub";
        _scene.Clock.Advance(DependencyCheck.Freshness);
        await Ask();
        Assert.Equal((2, 1), (LinesAbout("records").Length, LinesAbout("task-hub").Length));

        string[] LinesAbout(string name) => [.. _scene.Logs.Lines.Where(l => l.Contains($"Health check {name} is unhealthy", StringComparison.Ordinal))];
    }

    private static Mock<ISnapshotStorage> Storage(Task<string?> answer)
    {
        var storage = new Mock<ISnapshotStorage>(MockBehavior.Strict);
        storage.Setup(s => s.ReadAsync("health", It.IsAny<CancellationToken>())).ReturnsAsync((SnapshotBlob?)null);
        storage.Setup(s => s.TryDeleteAsync("health", "etag", It.IsAny<CancellationToken>())).ReturnsAsync(true);
        Answers(storage, answer);
        return storage;
    }

    /// <summary>Has what is written be taken, or not.</summary>
    private static void Answers(Mock<ISnapshotStorage> storage, Task<string?> answer) => storage
        .Setup(s => s.TryPutAsync("health", It.IsAny<ReadOnlyMemory<byte>>(), null, It.IsAny<CancellationToken>())).Returns(answer);

    private static List<(string? Name, string? Status, string? Detail)> Lines(Answer answer) =>
    [
        .. answer.Json.GetProperty("checks").EnumerateArray().Select(line => (
            line.GetProperty("name").GetString(),
            line.GetProperty("status").GetString(),
            line.TryGetProperty("detail", out var detail) ? detail.GetString() : null)),
    ];

    private static IEnumerable<DateTimeOffset> CheckedAt(Answer answer) =>
        answer.Json.GetProperty("checks").EnumerateArray().Select(line => line.GetProperty("checkedAt").GetDateTimeOffset());

    private void Count(string name, ref int asked)
    {
        Interlocked.Increment(ref asked);
        if (_failing == name)
            throw new IOException("/secret/path is full");
    }

    /// <summary>Asks, and lets the patience with whom does not answer pass.</summary>
    private async Task<Answer> AskWhileTimePassesAsync()
    {
        var asked = Ask();
        _scene.Clock.Advance(DependencyCheck.Patience);
        return await asked;
    }

    private void Holds(TimeSpan life, string? keyVaultError) => _tokens.Setup(t => t.GetHealth())
        .Returns(new TokenHealth(TimeSpan.FromMinutes(30), _scene.Clock.GetUtcNow() + life, keyVaultError));

    private Task<Answer> Ask() => _scene.CallAsync<HealthFunctions>((f, r) => f.Health(r, _scene.Durable.Client, default));

    private sealed class Tables(Action asked) : IRecordTables
    {
        public IRecordTable Open(string name)
        {
            var table = new Mock<IRecordTable>(MockBehavior.Strict);
            table.Setup(t => t.FindAsync("health", "health", It.IsAny<CancellationToken>())).ReturnsAsync((TableRecord?)null);
            table.Setup(t => t.TryAddAsync(It.IsAny<TableRecord>(), It.IsAny<CancellationToken>())).ReturnsAsync((TableRecord record, CancellationToken _) =>
            {
                asked();
                return record;
            });
            table.Setup(t => t.ListAsync(It.IsAny<string>(), It.IsAny<int>(), It.IsAny<string?>(), It.IsAny<CancellationToken>())).ReturnsAsync([]);
            return table.Object;
        }
    }

    private sealed class BasiqDouble : HttpMessageHandler
    {
        public HttpStatusCode? Status { get; set; } = HttpStatusCode.NotFound;

        public List<HttpRequestMessage> Requests { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests.Add(request);
            return Status is { } status
                ? Task.FromResult(new HttpResponseMessage(status))
                : Task.FromException<HttpResponseMessage>(new HttpRequestException("no route"));
        }
    }
}
