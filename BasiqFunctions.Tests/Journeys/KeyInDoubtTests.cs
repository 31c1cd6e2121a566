using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using BasiqFunctions.Tests.Basiq;
using BasiqFunctions.Tests.Data;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Webhooks;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>
/// A good stock of users, days that go by, and an API key that is refused or another application's. What Basiq says then looks as if
/// nobody was there any more.
/// </summary>
[Trait("Category", "Journeys")]
public sealed class KeyInDoubtTests : IAsyncLifetime
{
    private const int Users = 50;

    private readonly FakeTimeProvider _clock = StandingClock.New();
    private readonly Application _basiq;
    private AppUnderTest _app = null!;
    private string[] _files = [];
    private int _passes;

    public KeyInDoubtTests() => _basiq = new Application(_clock);

    public async Task InitializeAsync()
    {
        _app = await AppUnderTest.StartAsync(
            ["Basiq:MaxRetries=0", "Due:CheckEvery=1.00:00:00"],
            _clock,
            configure: services => services.PostConfigure<HttpClientFactoryOptions>(
                BasiqTransport.HttpClientName,
                options => options.HttpMessageHandlerBuilderActions.Add(builder => builder.PrimaryHandler = _basiq.Stub)));
        foreach (var user in UserIds())
        {
            _basiq.Consents[user] = "active";
            var account = JsonSerializer.SerializeToUtf8Bytes(new { id = $"account-of-{user}", connection = "c1", institution = "AU00000" });
            var store = new SnapshotParts(_app.Services);
            await store.Staging.StageAccountsAsync(new(user), new("sync-1"), [account], default);
            await store.Publisher.PublishAsync(
                new SnapshotPublication(new(user), new("sync-1"), _clock.GetUtcNow(), [new("c1")], new Dictionary<AccountId, IReadOnlyList<string>>()), default);
        }

        // Nobody wrote down when they are due: the first pass does.
        await PassAsync();
        _files = Files();
        Assert.Equal(Users, _files.Length);
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_key_that_is_refused_by_404_for_three_days_costs_nobody_anything_and_all_is_well_once_it_is_back()
    {
        _basiq.IsKeyRefused = true;
        for (var day = 0; day < 3; day++)
        {
            var before = Troubles().Length;
            await PassAsync();
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "api-key-refused"), await HealthAsync());

            // The key's own line once a minute, whatever is tried meanwhile, and none for each user.
            Assert.InRange(Troubles().Length - before, 1, 10);
        }

        Assert.InRange(Troubles().Count(line => line.Contains("[1111]", StringComparison.Ordinal)), 3, 6);
        Assert.Equal(_files, Files());
        using (var deleted = await _app.Api.DeleteAsync(new Uri("users/u00", UriKind.Relative)))
            await AppUnderTest.AssertProblemAsync(deleted, HttpStatusCode.BadGateway, "basiq-refused");
        await AssertNoReceiptsAsync();

        _basiq.IsKeyRefused = false;
        _clock.Advance(TimeSpan.FromMinutes(2));
        using (var user = await _app.Api.GetAsync(new Uri("users/u00", UriKind.Relative)))
            Assert.Equal(HttpStatusCode.OK, user.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await HealthAsync()).Status);
        Assert.Equal($"Daily pass finished: {Users} users checked, 0 removed, 0 unknown to Basiq, 0 failed", await PassAsync());
        Assert.Equal(_files, Files());
        Assert.Empty(Alerts());
    }

    [Fact]
    public async Task With_the_key_of_another_application_somebody_is_told_on_each_day_and_nobody_s_data_goes()
    {
        _basiq.IsKeyAnothers = true;
        for (var day = 1; day <= 3; day++)
        {
            Assert.Equal($"Daily pass finished: {Users} users checked, 0 removed, {Users} unknown to Basiq, 0 failed", await PassAsync());
            Assert.Equal(day, Alerts().Length);
            Assert.Contains($"does not know {Users} users", Alerts()[^1], StringComparison.Ordinal);
        }

        using (var deleted = await _app.Api.DeleteAsync(new Uri("users/u00", UriKind.Relative)))
            await AppUnderTest.AssertProblemAsync(deleted, HttpStatusCode.BadGateway, "basiq-refused");
        using (var deleted = await _app.Api.DeleteAsync(new Uri("users/u00/connections/c1", UriKind.Relative)))
            await AppUnderTest.AssertProblemAsync(deleted, HttpStatusCode.NotFound, "user-not-found");
        Assert.Equal(0, await ConfirmAsync());
        Assert.Equal(_files, Files());
        await AssertNoReceiptsAsync();

        _basiq.IsKeyAnothers = false;
        Assert.Equal($"Daily pass finished: {Users} users checked, 0 removed, 0 unknown to Basiq, 0 failed", await PassAsync());
        Assert.Equal(3, Alerts().Length);
        Assert.Equal(_files, Files());
    }

    [Fact]
    public async Task Real_deletions_go_through_while_many_absences_wait_to_be_confirmed_and_those_go_when_they_are()
    {
        foreach (var user in UserIds().Skip(20))
            Assert.True(_basiq.Consents.TryRemove(user, out _));
        await PassAsync();
        await PassAsync();
        Assert.Equal(2, Alerts().Length);
        Assert.Equal(_files, Files());

        // Basiq tells of a deletion; the caller deletes somebody whom Basiq has and somebody whom it has no longer; a consent is revoked.
        _basiq.Events["event-1"] = """{"id":"event-1","entity":"user","eventType":"deleted","userId":"u49"}""";
        await EventOrchestration.StartAsync(
            _app.Services.GetRequiredService<DurableTaskClient>(), new EventInput("event-1"), default);
        await AppUnderTest.WaitForAsync(() => ReasonsAsync("u49"), reasons => reasons.Length > 0);
        foreach (var user in new[] { "u01", "u48" })
            await _app.DeleteAsync($"users/{user}");

        Assert.False(_basiq.Consents.ContainsKey("u01"));
        _basiq.Consents["u02"] = "revoked";
        await PassAsync();
        Assert.Equal(
            ["user-deleted", "user-deleted", "user-deleted", "consent-revoked"],
            [.. await ReasonsAsync("u49"), .. await ReasonsAsync("u01"), .. await ReasonsAsync("u48"), .. await ReasonsAsync("u02")]);
        Assert.Equal(Users - 4, Files().Length);

        _basiq.Consents["u47"] = "active";
        Assert.Equal(27, await ConfirmAsync());
        Assert.Equal(["u00", .. UserIds()[3..20], "u47"], Files().Select(file => file.Split('/')[^2]).Order());
        Assert.Equal(["user-deleted"], await ReasonsAsync("u46"));
        Assert.Equal(0, await ConfirmAsync());
    }

    [Fact]
    public async Task A_clock_that_jumps_a_year_ahead_for_a_moment_removes_nothing_by_age()
    {
        await _app.Services.GetRequiredKeyedService<IRecordTable>("Receipts").PutAsync(
            new TableRecord("user-u00", "1", []) { ExpiresAt = _clock.GetUtcNow() + TimeSpan.FromDays(30) }, default);
        _basiq.ClockOff = TimeSpan.FromDays(-370);
        _clock.Advance(TimeSpan.FromDays(370));
        var durable = _app.Services.GetRequiredService<DurableTaskClient>();
        await AppUnderTest.WaitForAsync(
            () => durable.GetInstanceAsync(DueOrchestration.InstanceIdFor(_clock.GetUtcNow())), pass => pass is { IsCompleted: true });

        Assert.Equal(_passes, _app.Logs.Lines.Count(line => line.Contains("[3602]", StringComparison.Ordinal)));
        Assert.Equal(_files, Files());
        Assert.NotNull(await _app.Services.GetRequiredKeyedService<IRecordTable>("Receipts").FindAsync("user-u00", "1", default));
        await AssertNoReceiptsAsync();
    }

    private static string[] UserIds() => [.. Enumerable.Range(0, Users).Select(i => $"u{i:D2}")];

    /// <summary>Lets a day go by, and returns what the app's timer function says of its pass.</summary>
    private async Task<string> PassAsync()
    {
        _clock.Advance(TimeSpan.FromDays(1));
        _passes++;
        var said = await AppUnderTest.WaitForAsync(
            () => Task.FromResult(_app.Logs.Lines.Where(line => line.Contains("[3602]", StringComparison.Ordinal)).ToArray()),
            lines => lines.Length == _passes);
        var start = said[^1].IndexOf("Daily pass", StringComparison.Ordinal);
        return said[^1][start..(said[^1].IndexOf("failed", start, StringComparison.Ordinal) + "failed".Length)];
    }

    private string[] Files() =>
        [.. _app.State.Files.Where(file => file.Contains("/snapshots/", StringComparison.Ordinal) && file.EndsWith("current.json", StringComparison.Ordinal)).Order()];

    private string[] Alerts() => [.. _app.Logs.Lines.Where(line => line.Contains("[3404]", StringComparison.Ordinal))];

    /// <summary>The app's log lines that somebody should look at.</summary>
    private string[] Troubles() =>
    [
        .. _app.Logs.Lines.Where(line => line.Contains(" BasiqFunctions.", StringComparison.Ordinal)
            && (line.StartsWith("Warning", StringComparison.Ordinal) || line.StartsWith("Error", StringComparison.Ordinal))),
    ];

    private async Task<(HttpStatusCode Status, string? Token)> HealthAsync()
    {
        using var answer = await _app.Api.GetAsync(new Uri("health", UriKind.Relative));
        var checks = (await AppUnderTest.ReadAsync(answer)).GetProperty("checks").EnumerateArray();
        return (answer.StatusCode, checks.Single(check => check.GetProperty("name").GetString() is "server-token").GetProperty("detail").GetString());
    }

    /// <summary>Does what the newest alert asks for, and returns how many were removed.</summary>
    private async Task<int> ConfirmAsync()
    {
        var removals = (await AppUnderTest.ReadAsync(await _app.Api.GetAsync(new Uri("removals", UriKind.Relative)))).GetProperty("removals");
        var passId = removals[0].GetProperty("passId").GetString()!;
        Assert.Contains($"POST /api/removals/{passId}/confirm", Alerts()[^1], StringComparison.Ordinal);
        using var confirmed = await _app.Api.PostAsync(new Uri($"removals/{passId}/confirm", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.OK, confirmed.StatusCode);
        return (await AppUnderTest.ReadAsync(confirmed)).GetProperty("removed").GetInt32();
    }

    private async Task<string[]> ReasonsAsync(string userId)
    {
        using var answer = await _app.Api.GetAsync(new Uri($"users/{userId}/deletion-receipts", UriKind.Relative));
        return [.. (await AppUnderTest.ReadAsync(answer)).GetProperty("receipts").EnumerateArray().Select(r => r.GetProperty("reason").GetString()!)];
    }

    private async Task AssertNoReceiptsAsync()
    {
        foreach (var user in UserIds().Skip(1))
            Assert.Empty(await ReasonsAsync(user));
    }

    /// <summary>An application at Basiq, and what it answers to its key, to a refused one and to another application's.</summary>
    private sealed class Application
    {
        private readonly FakeTimeProvider _clock;

        public Application(FakeTimeProvider clock)
        {
            _clock = clock;
            Stub = new StubBasiq
            {
                Answer = (request, _, _) => Task.FromResult(Dated(Answer(request.Method, request.PathAndQuery.Split('?')[0].Split('/')[1..]))),
                Mint = (_, before, _) => Task.FromResult(Dated(
                    IsKeyRefused
                        ? StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found", "Unable to authenticate. Please, check your API key")
                        : StubBasiq.Json(StubBasiq.TokenJson($"token-{before}")))),
            };
        }

        public StubBasiq Stub { get; }

        /// <summary>The users, with the status of their consent.</summary>
        public ConcurrentDictionary<string, string> Consents { get; } = [];

        public ConcurrentDictionary<string, string> Events { get; } = [];

        public bool IsKeyRefused { get; set; }

        public bool IsKeyAnothers { get; set; }

        /// <summary>By how much Basiq's clock is ahead of the app's.</summary>
        public TimeSpan ClockOff { get; set; }

        private HttpResponseMessage Dated(HttpResponseMessage answer)
        {
            answer.Headers.Date = _clock.GetUtcNow() + ClockOff;
            return answer;
        }

        private HttpResponseMessage Answer(string method, string[] path)
        {
            var consent = path is ["users", var userId, ..] && !IsKeyAnothers ? Consents.GetValueOrDefault(userId) : null;
            return (method, path) switch
            {
                ("GET", ["events", var id]) when Events.TryGetValue(id, out var happened) => StubBasiq.Json(happened),
                (_, ["events"]) or (_, ["notifications", ..]) => StubBasiq.Json("""{"type":"list","data":[]}"""),
                (_, ["users", ..]) when consent is null => StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found"),
                ("GET", ["users", var id]) => StubBasiq.Json($$"""{"type":"user","id":"{{id}}"}"""),
                ("DELETE", ["users", var id]) when Consents.TryRemove(id, out _) => new HttpResponseMessage(HttpStatusCode.NoContent) { Content = new ByteArrayContent([]) },
                (_, [_, _, "consents"]) => StubBasiq.Json(
                    $$"""{"type":"list","data":[{"type":"consent","id":"x","status":"{{consent}}","expiryDate":"2030-01-01T00:00:00Z"}]}"""),
                (_, [_, _, "connections"]) => StubBasiq.Json("""{"type":"list","data":[{"type":"connection","id":"c1","status":"active"}]}"""),
                _ => StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found"),
            };
        }
    }
}
