using System.Net;
using System.Net.Http.Json;
using BasiqFunctions.Data;
using BasiqFunctions.LocalHost.Data;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Basiq;
using BasiqFunctions.Tests.Data;
using BasiqFunctions.Tests.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Edges;

/// <summary>Nobody keeps a request open: not callers who send slowly, and not what the app itself waits for.</summary>
[Trait("Category", "Journeys")]
public sealed class TimeoutTests
{
    [Fact]
    public async Task A_body_that_trickles_in_is_cut_by_the_app_whatever_the_server_allows()
    {
        var clock = new WatchedClock();
        var limit = new HttpOptions().BodyTimeout;
        await using var app = await AppUnderTest.StartAsync(
            clock: clock,
            configure: services => services.PostConfigure<KestrelServerOptions>(kestrel => kestrel.Limits.MinRequestBodyDataRate = null));
        using var connection = await RawConnection.OpenAsync(app.Api.BaseAddress!);
        await connection.TrySendAsync("POST /api/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{");

        await clock.WaitForTimerAsync(limit);
        clock.Advance(limit - TimeSpan.FromSeconds(1));
        await connection.TrySendAsync(" ");
        Assert.Empty(await connection.GlanceAsync());
        clock.Advance(TimeSpan.FromSeconds(1));

        var answer = await connection.ReadUntilAsync(text => text.Contains('}', StringComparison.Ordinal));
        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"body-timeout\"", answer, StringComparison.Ordinal);
        Assert.Contains("Cache-Control: no-store\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(0, await app.CountAsync("POST /users"));
    }

    [Fact]
    public async Task A_body_that_arrives_slowly_but_in_time_is_taken()
    {
        const string Body = """{"email":"gavin@hooli.com"}""";
        var clock = new WatchedClock();
        await using var app = await AppUnderTest.StartAsync(
            clock: clock,
            configure: services => services.PostConfigure<KestrelServerOptions>(kestrel => kestrel.Limits.MinRequestBodyDataRate = null));
        using var connection = await RawConnection.OpenAsync(app.Api.BaseAddress!);
        await connection.TrySendAsync($"POST /api/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\nConnection: close\r\n\r\n");

        await clock.WaitForTimerAsync(new HttpOptions().BodyTimeout);
        foreach (var c in Body)
        {
            await connection.TrySendAsync(c.ToString());
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.StartsWith("HTTP/1.1 201 ", await connection.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task LocalHost_cuts_slow_clients_itself()
    {
        await using var app = await AppUnderTest.StartAsync();
        using var slowHeaders = await RawConnection.OpenAsync(app.Api.BaseAddress!);
        using var slowBody = await RawConnection.OpenAsync(app.Api.BaseAddress!);
        await slowHeaders.TrySendAsync("GET /api/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
        await slowBody.TrySendAsync("POST /api/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{");

        var answers = await Task.WhenAll(slowHeaders.ReadToEndAsync(), slowBody.ReadToEndAsync());

        Assert.DoesNotContain(answers, answer => answer.StartsWith("HTTP/1.1 2", StringComparison.Ordinal));
        Assert.StartsWith("HTTP/1.1 408 ", answers[1], StringComparison.Ordinal);
        Assert.Contains("\"code\":\"body-timeout\"", answers[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task LocalHost_cuts_clients_that_ask_and_never_read()
    {
        // At LocalHost's own rate, what the kernel buffers is given some twenty seconds.
        await using var app = await AppUnderTest.StartAsync(configure: services => services.PostConfigure<KestrelServerOptions>(
            kestrel => kestrel.Limits.MinResponseDataRate = new MinDataRate(8 * kestrel.Limits.MinResponseDataRate!.BytesPerSecond, kestrel.Limits.MinResponseDataRate.GracePeriod)));
        var asked = string.Concat(Enumerable.Repeat("GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n", 1000));
        var connections = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => RawConnection.OpenAsync(app.Api.BaseAddress!)));
        foreach (var connection in connections)
            Assert.True(await connection.TrySendAsync(asked));

        // Only writing tells, for what has come back is not to be read.
        await AppUnderTest.WaitForAsync(
            async () => await Task.WhenAll(connections.Select(connection => connection.TrySendAsync(" "))), sent => !sent.Contains(true));
        foreach (var connection in connections)
            connection.Dispose();
    }

    [Fact]
    public async Task A_storage_that_hangs_is_not_waited_for()
    {
        var reached = new TaskCompletionSource();
        var hanging = new TaskCompletionSource();
        var clock = StandingClock.New();
        using var folder = new TemporaryDirectory();
        await using var app = await AppUnderTest.StartAsync(
            ["AzureWebJobsStorage=UseDevelopmentStorage=true"],
            clock,
            configure: services =>
            {
                services.AddSingleton<ISnapshotStorage>(new InterceptedStorage(new FileSnapshotStorage(folder.Path, clock))
                {
                    Before = (_, _) =>
                    {
                        reached.TrySetResult();
                        return hanging.Task;
                    },
                });
                services.AddSingleton<IRecordTables>(_ => SqliteRecordTables.Open(Path.Combine(folder.Path, "records.db")));
            });

        var call = app.Api.GetAsync(new Uri("users/u/accounts", UriKind.Relative));
        await reached.Task;
        using var answer = await WhileTimePassesAsync(clock, call);

        await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.GatewayTimeout, "timeout");
        Assert.Contains("ListAccounts answers 504", app.Logs.Text, StringComparison.Ordinal);
        hanging.SetResult();
    }

    [Theory]
    [InlineData(null, "outcome-unknown")]
    [InlineData("a-key", "timeout")]
    public async Task A_user_whose_making_takes_too_long_may_exist_and_a_key_tells_later(string? key, string code)
    {
        var clock = StandingClock.New();
        var sandboxClock = new FakeTimeProvider(clock.GetUtcNow());
        await using var app = await AppUnderTest.StartAsync(
            [
                "Http:Deadline=00:00:35", "Basiq:AttemptTimeout=00:09:00", "Basiq:TotalTimeout=00:10:00", "Sandbox:Latency=00:01:00",
                "Sandbox:FaultsUnder=/users",
            ], clock, sandboxClock);

        // Until Basiq has been asked, everything before that takes no time.
        var call = SendAsync();
        await AppUnderTest.WaitForAsync(() => app.CountAsync("POST /users"), count => count == 1);
        using var answer = await WhileTimePassesAsync(clock, call);

        await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.GatewayTimeout, code);
        Assert.Contains("CreateUser answers 504: not finished within 00:00:35", app.Logs.Text, StringComparison.Ordinal);
        if (key is null)
            return;

        // What was begun is finished, and the key tells what became of it.
        sandboxClock.Advance(TimeSpan.FromMinutes(1));
        using var again = await WhileTimePassesAsync(sandboxClock, SendAsync());
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        Assert.Equal(1, await app.CountAsync("POST /users"));

        Task<HttpResponseMessage> SendAsync()
        {
            var request = new HttpRequestMessage(HttpMethod.Post, new Uri("users", UriKind.Relative))
            {
                Content = JsonContent.Create(new { email = "gavin@hooli.com" }),
            };
            if (key is not null)
                request.Headers.Add("Idempotency-Key", key);
            return app.Api.SendAsync(request);
        }
    }

    private static async Task<HttpResponseMessage> WhileTimePassesAsync(FakeTimeProvider clock, Task<HttpResponseMessage> call)
    {
        await AppUnderTest.WaitForAsync(
            () => Task.FromResult(call.IsCompleted), isDone => isDone, () => clock.Advance(TimeSpan.FromSeconds(1)));
        return await call;
    }
}
