using System.Globalization;
using System.Net;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Platform.Records;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Basiq;

[Trait("Category", "Journeys")]
public sealed class LimitTests
{
    private const string UserJson = "{\"id\":\"u1\"}";

    [Fact]
    public async Task Three_thousand_client_tokens_in_a_minute_reach_Basiq_up_to_the_limit_only()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json(StubBasiq.TokenJson("client-token")));
        List<(DateTimeOffset At, BasiqFailure Failure)> refused = [];

        for (var call = 0; call < 3_000; call++)
        {
            try
            {
                await test.Client.CreateClientTokenAsync(new("u1"));
            }
            catch (BasiqException exception)
            {
                refused.Add((test.Clock.GetUtcNow(), exception.Failure));
            }

            test.Clock.Advance(TimeSpan.FromMilliseconds(20));
        }

        Assert.Equal(1_140, test.Basiq.Calls.Count);
        Assert.Equal(1_860, refused.Count);
        Assert.All(refused, one =>
        {
            Assert.Equal(
                (BasiqFailureKind.Overloaded, BasiqFailure.TokenLimitCode, true, true, null),
                (one.Failure.Kind, one.Failure.Code, one.Failure.IsTransient, one.Failure.IsRefusedHere, one.Failure.StatusCode));
            Assert.InRange(one.Failure.RetryAfter!.Value, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(5.1));
        });

        // They all name the same moment, and it is true: a call just before it is refused, one at it is not.
        var free = Assert.Single(refused.Select(one => one.At + one.Failure.RetryAfter!.Value).Distinct());
        test.Clock.SetUtcNow(free - TimeSpan.FromMilliseconds(1));
        Assert.Equal(TimeSpan.FromMilliseconds(1), (await ClientUnderTest.FailureAtOnceAsync(test.Client.CreateClientTokenAsync(new("u1")))).RetryAfter);
        test.Clock.SetUtcNow(free);
        Assert.Equal("client-token", (await test.Client.CreateClientTokenAsync(new("u1"))).AccessToken);
    }

    [Fact]
    public async Task However_many_client_tokens_are_asked_for_the_server_token_is_to_be_had()
    {
        await using var test = new ClientUnderTest(("Basiq:MaxTokenRequests", "40"));
        test.Basiq.Script(() => StubBasiq.Json(StubBasiq.TokenJson("client-token")));
        for (var call = 0; call < 100; call++)
        {
            if (call < 38)
                await test.Client.CreateClientTokenAsync(new("u1"));
            else
                await ClientUnderTest.FailureAtOnceAsync(test.Client.CreateClientTokenAsync(new("u1")));
        }

        await test.Tokens.RefreshAsync();
        await test.Tokens.RefreshAsync();
        var exception = await Assert.ThrowsAsync<BasiqException>(() => test.Tokens.RefreshAsync());

        Assert.Equal(BasiqFailure.TokenLimitCode, exception.Failure.Code);
        Assert.Equal((38, 2), (test.Basiq.Calls.Count, test.Basiq.Mints.Count));
    }

    [Fact]
    public async Task No_window_wherever_it_begins_holds_more_than_the_limit_of_all_instances_together()
    {
        var random = new Random(20260301);
        var clock = new FakeTimeProvider();
        var limiters = Limiters(3, clock, new() { MaxTokenRequests = 50, TokenRequestWindow = TimeSpan.FromSeconds(60) });
        List<DateTimeOffset> taken = [];
        var refused = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var limiter = limiters[random.Next(3)];
            var permit = await limiter.TakeAsync(random.Next(3) == 0);
            if (permit.IsGranted)
            {
                Assert.True(permit.IsCounted);
                if (random.Next(10) == 0)
                    limiter.GiveBack(permit);
                else
                    taken.Add(clock.GetUtcNow());
            }
            else
            {
                refused++;
                Assert.InRange(permit.RetryAfter, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(60.6));
            }

            clock.Advance(TimeSpan.FromMilliseconds(random.Next(50) == 0 ? random.Next(70_000) : random.Next(40)));
        }

        Assert.True(refused > 1_000 && taken.Count > 1_000);
        for (var i = 50; i < taken.Count; i++)
            Assert.True(taken[i] - taken[i - 50] >= TimeSpan.FromSeconds(60), $"Request {i} came too early.");
    }

    [Fact]
    public async Task Concurrent_callers_of_several_instances_get_no_more_permits_than_there_are()
    {
        var limiters = Limiters(3, new FakeTimeProvider(), new());
        var taken = 0;

        await Task.WhenAll(Enumerable.Range(0, 9).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 1_000; i++)
            {
                if ((await limiters[caller % 3].TakeAsync(forServerToken: false)).IsGranted)
                    Interlocked.Increment(ref taken);
            }
        })));

        Assert.Equal(1_140, taken);
    }

    [Fact]
    public async Task A_crowd_that_waits_for_the_row_is_served_by_its_next_turn()
    {
        var row = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var turns = 0;
        var table = new InterceptedRecordTable(new MemoryRecordTables().Open("limits"))
        {
            Before = step => step == "find" ? row.Task : Task.FromResult(Interlocked.Increment(ref turns)),
        };
        var limiter = new TokenRequestLimiter(table, Options.Create(new BasiqOptions()), new FakeTimeProvider(), NullLogger<TokenRequestLimiter>.Instance);

        var crowd = Enumerable.Range(0, 1_000).Select(_ => limiter.TakeAsync(forServerToken: false).AsTask()).ToArray();
        row.SetResult();

        Assert.All(await Task.WhenAll(crowd), permit => Assert.True(permit.IsCounted));
        Assert.InRange(turns, 1, 2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_the_table_out_of_reach_tokens_are_requested_uncounted_and_it_is_said(bool hangs)
    {
        var clock = new FakeTimeProvider();
        using var logs = new LogCapture();
        var table = new InterceptedRecordTable(new MemoryRecordTables().Open("limits"))
        {
            Before = _ => hangs ? Task.Delay(Timeout.Infinite) : throw new IOException("storage is away"),
        };
        var limiter = new TokenRequestLimiter(
            table, Options.Create(new BasiqOptions()), clock, new Logger<TokenRequestLimiter>(new LoggerFactory([logs])));

        for (var i = 0; i < 3; i++)
        {
            var asking = limiter.TakeAsync(forServerToken: false).AsTask();
            await AppUnderTest.WaitForAsync(() => Task.FromResult(asking.IsCompleted), done => done, () => clock.Advance(TokenRequestLimiter.Patience));
            Assert.Equal(TokenPermit.Uncounted, await asking);
        }

        Assert.Contains(logs.Lines, line => line.Contains("Cannot reach the shared token limit", StringComparison.Ordinal));
        table.Before = null;
        Assert.True((await limiter.TakeAsync(forServerToken: false)).IsCounted);
    }

    [Fact]
    public async Task A_clock_that_was_far_ahead_keeps_nobody_from_tokens_once_it_is_right_again()
    {
        var (clock, wrong) = (new FakeTimeProvider(), new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(100)));
        var table = new MemoryRecordTables().Open("limits");
        var limiters = new[] { wrong, clock }
            .Select(time => new TokenRequestLimiter(table, Options.Create(new BasiqOptions()), time, NullLogger<TokenRequestLimiter>.Instance)).ToArray();
        while ((await limiters[0].TakeAsync(forServerToken: true)).IsGranted)
        {
        }

        Assert.True((await limiters[1].TakeAsync(forServerToken: false)).IsCounted);
    }

    /// <summary>
    /// Three instances, each asked for far more than there is, for a quarter of an hour. Without the row that they share, each would take
    /// its own 1,200; without any limit all of it would reach Basiq.
    /// </summary>
    [Fact]
    public async Task Three_instances_together_stay_below_what_Basiq_takes_and_starve_neither_the_server_token_nor_a_caller()
    {
        var clock = new WatchedClock();
        using var basiq = new StubBasiq();
        using var logs = new LogCapture();
        var tables = new MemoryRecordTables();
        var vault = new StubKeyVault(clock).CreateClient();
        List<DateTimeOffset> sent = [];
        basiq.Answer = (_, _, _) => Note(StubBasiq.TokenJson("client-token"));
        basiq.Mint = (_, before, _) => Note(StubBasiq.TokenJson($"server-token-{before + 1}"));
        var instances = Enumerable.Range(0, 3).Select(_ => ClientUnderTest.Compose(clock, basiq, vault, logs, tables, [])).ToArray();
        var random = new Random(20261128);
        var (served, refused) = (new int[3], 0);

        // One that comes back when it is told to, and else does nothing, on each instance.
        var (patient, dueAt) = (new int[3], new DateTimeOffset[3]);
        for (var step = 0; step < 15 * 60; step++)
        {
            foreach (var i in Enumerable.Range(0, 3).OrderBy(_ => random.Next()))
            {
                var client = instances[i].GetRequiredService<IBasiqClient>();
                for (var call = 0; call < 3; call++)
                {
                    var failure = await Ask(client);
                    if (failure is null)
                        served[i]++;
                    else
                        refused++;
                }

                if (clock.GetUtcNow() >= dueAt[i])
                {
                    var failure = await Ask(client);
                    patient[i] += failure is null ? 1 : 0;
                    dueAt[i] = clock.GetUtcNow() + (failure?.RetryAfter ?? TimeSpan.FromSeconds(10));
                }

                if (step % 120 == 40 * i)
                    await instances[i].GetRequiredService<IServerTokenProvider>().RefreshAsync();
            }

            clock.Advance(TimeSpan.FromSeconds(1));
        }

        for (var i = 1_500; i < sent.Count; i++)
            Assert.True(sent[i] - sent[i - 1_500] >= TimeSpan.FromMinutes(5), $"Request {i} came too early.");
        Assert.True(sent.Count > 3 * 1_000 && refused > 4_000);
        Assert.All(served, count => Assert.InRange(count, sent.Count / 6, sent.Count / 2));
        Assert.All(patient, count => Assert.True(count > 0));
        foreach (var instance in instances)
            await instance.DisposeByAsync(clock);

        Task<HttpResponseMessage> Note(string json)
        {
            sent.Add(clock.GetUtcNow());
            return Task.FromResult(StubBasiq.Json(json));
        }

        static async Task<BasiqFailure?> Ask(IBasiqClient client)
        {
            try
            {
                await client.CreateClientTokenAsync(new("u1"));
                return null;
            }
            catch (BasiqException exception)
            {
                return exception.Failure;
            }
        }
    }

    [Fact]
    public async Task A_retry_counts_as_a_request()
    {
        await using var test = new ClientUnderTest(("Basiq:MaxTokenRequests", "4"), ("Basiq:MaxRetries", "10"));
        test.Basiq.Script(() => new HttpResponseMessage(HttpStatusCode.InternalServerError));

        var failure = await test.FailureAsync(test.Client.CreateClientTokenAsync(new("u1")));

        Assert.Equal((BasiqFailure.TokenLimitCode, 3), (failure.Code, test.Basiq.Calls.Count));
    }

    [Fact]
    public async Task What_an_open_circuit_keeps_from_Basiq_does_not_count()
    {
        await using var test = new ClientUnderTest(("Basiq:MaxRetries", "0"), ("Basiq:MaxTokenRequests", "60"));
        test.Basiq.Answer = (_, _, _) => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused");
        for (var call = 0; call < 200; call++)
            await ClientUnderTest.FailureAtOnceAsync(test.Client.CreateClientTokenAsync(new("u1")));
        var sent = test.Basiq.Calls.Count;
        Assert.InRange(sent, 1, 56);

        test.Basiq.Script(() => StubBasiq.Json(StubBasiq.TokenJson("client-token")));
        test.Clock.Advance(TimeSpan.FromSeconds(6));

        for (var call = sent; call < 57; call++)
            await test.Client.CreateClientTokenAsync(new("u1"));
        Assert.Equal(BasiqFailure.TokenLimitCode, (await ClientUnderTest.FailureAtOnceAsync(test.Client.CreateClientTokenAsync(new("u1")))).Code);
    }

    [Fact]
    public async Task Data_calls_beyond_the_limit_wait_for_a_place()
    {
        await using var test = new ClientUnderTest(("Basiq:MaxConcurrentCalls", "3"));
        await test.Tokens.GetAsync();
        var (running, most) = (0, 0);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var three = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        test.Basiq.Answer = async (_, _, _) =>
        {
            var now = Interlocked.Increment(ref running);
            lock (release)
                most = Math.Max(most, now);
            if (now == 3)
                three.TrySetResult();
            await release.Task;
            Interlocked.Decrement(ref running);
            return StubBasiq.Json(UserJson);
        };

        var calls = Enumerable.Range(0, 20).Select(_ => Task.Run(() => test.Client.GetUserAsync(new("u1")))).ToArray();
        await three.Task.WaitAsync(TimeSpan.FromSeconds(30));
        release.SetResult();
        await Task.WhenAll(calls);

        Assert.Equal(3, most);
    }

    [Fact]
    public async Task A_data_call_that_waits_in_vain_is_refused_and_told_to_come_back()
    {
        await using var test = new ClientUnderTest(("Basiq:MaxConcurrentCalls", "1"));
        await test.Tokens.GetAsync();
        var release = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        test.Basiq.Answer = (_, _, _) => release.Task;
        var first = test.Client.GetUserAsync(new("u1"));
        var second = test.Client.GetUserAsync(new("u1"));
        await test.Clock.WaitForTimerAsync(BasiqLimits.Patience);

        test.Clock.Advance(BasiqLimits.Patience);
        var failure = await ClientUnderTest.FailureAtOnceAsync(second);

        Assert.Equal(
            (BasiqFailureKind.Overloaded, BasiqFailure.CallLimitCode, TimeSpan.FromSeconds(1)),
            (failure.Kind, failure.Code, failure.RetryAfter));
        release.SetResult(StubBasiq.Json(UserJson));
        Assert.Equal("u1", (await first).Id);
    }

    [Fact]
    public async Task A_flood_of_refusals_is_one_line_a_minute()
    {
        await using var test = new ClientUnderTest(("Basiq:MaxTokenRequests", "2"));
        test.Basiq.Script(() => StubBasiq.Json(StubBasiq.TokenJson("client-token")));
        await test.Client.CreateClientTokenAsync(new("u1"));
        for (var call = 0; call < 60; call++)
        {
            await ClientUnderTest.FailureAtOnceAsync(test.Client.CreateClientTokenAsync(new("u1")));
            test.Clock.Advance(TimeSpan.FromSeconds(2));
        }

        var lines = test.Logs.Lines.Where(line => line.StartsWith("Warning", StringComparison.Ordinal)).ToArray();
        Assert.Equal(2, lines.Length);
        Assert.Contains("held back since the last message: 30.", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Callers_of_the_app_see_429_and_when_to_come_back()
    {
        await using var app = await AppUnderTest.StartAsync(["Basiq:MaxTokenRequests=4", "Basiq:TokenRequestWindow=00:02:00"]);
        var userId = await app.CreateUserAsync();
        List<HttpStatusCode> statuses = [];
        for (var call = 0; call < 5; call++)
        {
            using var answer = await app.Api.PostAsync(new Uri($"users/{userId}/client-token", UriKind.Relative), null);
            statuses.Add(answer.StatusCode);
            if (answer.IsSuccessStatusCode)
                continue;
            await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.TooManyRequests, "basiq-overloaded");
            var wait = int.Parse(Assert.Single(answer.Headers.GetValues("Retry-After")), CultureInfo.InvariantCulture);
            Assert.InRange(wait, 60, 122);
        }

        // Of four, one is kept for the server token, and one was spent on it.
        Assert.Equal([200, 200, 429, 429, 429], statuses.Select(status => (int)status));
    }

    [Fact]
    public async Task Of_five_hundred_client_tokens_asked_of_the_app_in_a_minute_none_beyond_the_limit_reaches_Basiq()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 1, 0, TimeSpan.Zero));
        await using var app = await AppUnderTest.StartAsync(["Basiq:MaxTokenRequests=300"], clock);
        var path = new Uri($"users/{await app.CreateUserAsync()}/client-token", UriKind.Relative);
        var (granted, refused) = (0, 0);
        foreach (var crowd in Enumerable.Range(0, 500).Chunk(20))
        {
            await Task.WhenAll(crowd.Select(async _ =>
            {
                using var answer = await app.Api.PostAsync(path, null);
                if (answer.IsSuccessStatusCode)
                {
                    Interlocked.Increment(ref granted);
                    return;
                }

                Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
                Assert.NotNull(answer.Headers.RetryAfter?.Delta);
                Interlocked.Increment(ref refused);
            }));
            clock.Advance(TimeSpan.FromMilliseconds(600));
        }

        // 15 are kept for server tokens, and one of the others was spent on the first of these.
        Assert.Equal((284, 216), (granted, refused));
        Assert.Equal(
            (1, 284), (await app.CountAsync("POST /token SERVER_ACCESS"), await app.CountAsync("POST /token CLIENT_ACCESS")));

        using var last = await app.Api.PostAsync(path, null);
        Assert.Equal(HttpStatusCode.TooManyRequests, last.StatusCode);
        var wait = last.Headers.RetryAfter!.Delta!.Value;
        clock.Advance(wait - TimeSpan.FromSeconds(1) - TimeSpan.FromMilliseconds(1));
        using var early = await app.Api.PostAsync(path, null);
        Assert.Equal(HttpStatusCode.TooManyRequests, early.StatusCode);
        clock.Advance(TimeSpan.FromSeconds(1) + TimeSpan.FromMilliseconds(1));
        using var intime = await app.Api.PostAsync(path, null);
        Assert.Equal(HttpStatusCode.OK, intime.StatusCode);
    }

    [Fact]
    public async Task Each_request_gets_a_client_token_of_its_own()
    {
        await using var app = await AppUnderTest.StartAsync();
        var (first, second) = (await app.CreateUserAsync(), await app.CreateUserAsync("nelson@hooli.com"));
        HashSet<string> tokens = [];
        foreach (var userId in new[] { first, second, first, second })
        {
            using var answer = await app.Api.PostAsync(new Uri($"users/{userId}/client-token", UriKind.Relative), null);
            tokens.Add((await AppUnderTest.ReadAsync(answer)).GetProperty("access_token").GetString()!);
        }

        Assert.Equal(4, tokens.Count);
    }

    [Theory]
    [InlineData("https://au-api.basiq.io", null, 1_200)]
    [InlineData("https://au-api.basiq.io", "900", 900)]
    [InlineData("http://localhost:7072", null, null)]
    [InlineData("http://127.0.0.1:7072", null, null)]
    [InlineData("http://[::1]:7072", null, null)]
    [InlineData("http://localhost:7072", "5000", 5_000)]
    public async Task Token_requests_are_limited_towards_Basiq_and_towards_a_stand_in_only_if_that_is_set(string url, string? setting, int? limit)
    {
        await using var services = ClientUnderTest.Compose(
            new FakeTimeProvider(), new StubBasiq(), new StubKeyVault(new FakeTimeProvider()).CreateClient(), new LogCapture(),
            ("Basiq:BaseUrl", url), ("Basiq:MaxTokenRequests", setting));
        var limiter = services.GetRequiredService<TokenRequestLimiter>();

        var granted = 0;
        while (granted < 6_000 && await limiter.TakeAsync(forServerToken: true) is { IsGranted: true } permit)
        {
            Assert.Equal((limit is not null, TimeSpan.Zero), (permit.IsCounted, permit.RetryAfter));
            granted++;
        }

        Assert.Equal(limit ?? 6_000, granted);
    }

    private static TokenRequestLimiter[] Limiters(int count, TimeProvider clock, BasiqOptions options)
    {
        var table = new MemoryRecordTables().Open("limits");
        return [.. Enumerable.Range(0, count).Select(_ =>
            new TokenRequestLimiter(table, Options.Create(options), clock, NullLogger<TokenRequestLimiter>.Instance))];
    }
}
