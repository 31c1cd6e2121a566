using System.Net;
using System.Text.Json;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed class JobTests
{
    [Fact]
    public async Task A_job_moves_through_its_steps_as_time_passes()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        var jobId = await host.Connect(userId);

        string[] expected =
        [
            "in-progress pending pending",
            "success in-progress pending",
            "success success in-progress",
            "success success success",
        ];
        foreach (var statuses in expected)
        {
            var job = await host.Get($"/jobs/{jobId}");
            Assert.Equal(statuses, Statuses(job));
            Assert.Equal(statuses != expected[0], job.GetProperty("links").TryGetProperty("source", out _));
            host.Clock.Advance(TimeSpan.FromSeconds(2));
        }

        var done = await host.Get($"/jobs/{jobId}");
        var source = done.GetProperty("links").GetProperty("source").GetString()!;
        Assert.EndsWith(done.GetProperty("steps")[0].GetProperty("result").GetProperty("url").GetString()!, source);
        Assert.Equal("active", (await host.Get(source)).GetProperty("status").GetString());
        Assert.Equal("2026-03-16T09:30:06Z", done.GetProperty("updated").GetString());
    }

    [Fact]
    public async Task Accounts_and_transactions_appear_with_the_step_that_retrieves_them()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        await host.Connect(userId);

        Assert.Empty(await host.Accounts(userId));
        host.Clock.Advance(TimeSpan.FromSeconds(4));
        var early = await host.Accounts(userId);
        Assert.NotEmpty(early);
        Assert.Empty(await host.Transactions(userId));
        host.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.NotEmpty(await host.Transactions(userId));
        Assert.Equal(early.Select(Id), (await host.Accounts(userId)).Select(Id));
    }

    [Theory]
    [InlineData("bighead", 0, "invalid-credentials", "account is locked")]
    [InlineData("erlich", 0, "account-not-accessible-requires-user-action", "log in to internet banking")]
    [InlineData("jianYang", 1, "service-unavailable", "not available")]
    public async Task A_failing_user_gets_in_at_the_page_and_fails_in_the_job(string login, int step, string code, string detail)
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        var jobId = await host.Connect(userId, login);
        host.Clock.Advance(TimeSpan.FromMinutes(1));

        var job = await host.Get($"/jobs/{jobId}");
        var failed = job.GetProperty("steps")[step];
        Assert.Equal("failed", failed.GetProperty("status").GetString());
        Assert.Equal(code, failed.GetProperty("result").GetProperty("code").GetString());
        Assert.Contains(detail, failed.GetProperty("result").GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.All(job.GetProperty("steps").EnumerateArray().Skip(step + 1), s => Assert.Equal("pending", s.GetProperty("status").GetString()));
        Assert.Empty(await host.Accounts(userId));
        var connection = await host.Get(job.GetProperty("links").GetProperty("source").GetString()!);
        Assert.Equal(step == 0 ? "invalid" : "active", connection.GetProperty("status").GetString());
        Assert.Single((await host.Get($"/users/{userId}/jobs")).GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task A_job_that_never_ends_stays_in_its_second_step()
    {
        await using var host = await SandboxHost.StartAsync(o => o.JobsNeverEnd = true);
        await host.SignIn();
        var jobId = await host.Connect(await host.CreateUser());
        host.Clock.Advance(TimeSpan.FromMinutes(50));
        Assert.Equal("success in-progress pending", Statuses(await host.Get($"/jobs/{jobId}")));
    }

    [Fact]
    public async Task A_job_of_no_duration_is_done_at_once()
    {
        await using var host = await SandboxHost.StartAsync(o => o.JobDuration = TimeSpan.Zero);
        await host.SignIn();
        var jobId = await host.Connect(await host.CreateUser());
        Assert.Equal("success success success", Statuses(await host.Get($"/jobs/{jobId}")));
    }

    [Fact]
    public async Task The_list_holds_the_jobs_of_the_last_seven_days_newest_first_and_by_connection()
    {
        await using var host = await SandboxHost.StartAsync(o => o.TokenLifetime = TimeSpan.FromDays(30));
        await host.SignIn();
        var userId = await host.CreateUser();
        var old = await host.Connect(userId);
        host.Clock.Advance(TimeSpan.FromDays(6));
        var newer = await host.Connect(userId, "jared");

        var jobs = (await host.Get($"/users/{userId}/jobs")).GetProperty("data").EnumerateArray().Select(Id);
        Assert.Equal([newer, old], jobs);
        var connectionId = (await host.Get($"/jobs/{old}")).GetProperty("links").GetProperty("source").GetString()!.Split('/')[^1];
        var filtered = await host.Get($"/users/{userId}/jobs?filter=connection.id.eq('{connectionId}')");
        Assert.Equal([old], filtered.GetProperty("data").EnumerateArray().Select(Id));
        host.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, (await host.Get($"/users/{userId}/jobs")).GetProperty("size").GetInt32());
    }

    [Fact]
    public async Task A_refresh_gives_the_running_job_while_there_is_one_and_then_a_new_one()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        var jobId = await host.Connect(userId);
        var connectionId = (await host.Get($"/users/{userId}/connections")).GetProperty("data")[0].GetProperty("id").GetString();
        var one = $"/users/{userId}/connections/{connectionId}/refresh";
        var all = $"/users/{userId}/connections/refresh";

        Assert.Equal(jobId, Id(await host.Send(HttpMethod.Post, one, HttpStatusCode.OK)));
        Assert.Equal(jobId, Id((await host.Send(HttpMethod.Post, all, HttpStatusCode.OK)).GetProperty("data")[0]));
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        var next = Id(await host.Send(HttpMethod.Post, one, HttpStatusCode.Accepted));
        Assert.NotEqual(jobId, next);
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.NotEqual(next, Id((await host.Send(HttpMethod.Post, all, HttpStatusCode.Accepted)).GetProperty("data")[0]));
    }

    [Fact]
    public async Task A_connection_takes_twenty_refreshes_a_day_of_Sydney_s_and_tells_when_it_was_last_used()
    {
        await using var host = await SandboxHost.StartAsync(o => o.TokenLifetime = TimeSpan.FromDays(3));
        await host.SignIn();
        var userId = await host.CreateUser();
        await host.Connect(userId);
        var connectionId = (await host.Get($"/users/{userId}/connections")).GetProperty("data")[0].GetProperty("id").GetString();
        var one = $"/users/{userId}/connections/{connectionId}/refresh";
        for (var refresh = 0; refresh < 20; refresh++)
        {
            host.Clock.Advance(TimeSpan.FromMinutes(1));
            await host.Send(HttpMethod.Post, one, HttpStatusCode.Accepted);
            await host.Send(HttpMethod.Post, one, HttpStatusCode.OK);
        }

        var usedAt = (await host.Get($"/users/{userId}/connections")).GetProperty("data")[0].GetProperty("lastUsed").GetDateTimeOffset();
        Assert.Equal(host.Clock.GetUtcNow().ToUnixTimeSeconds(), usedAt.ToUnixTimeSeconds());
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        await host.Error(HttpMethod.Post, one, HttpStatusCode.TooManyRequests);
        await host.Error(HttpMethod.Post, $"/users/{userId}/connections/refresh", HttpStatusCode.TooManyRequests);
        host.Clock.Advance(TimeSpan.FromDays(1));
        await host.Send(HttpMethod.Post, one, HttpStatusCode.Accepted);
    }

    private static string Statuses(JsonElement job) =>
        string.Join(' ', job.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("status").GetString()));

    private static string Id(JsonElement resource) => resource.GetProperty("id").GetString()!;
}
