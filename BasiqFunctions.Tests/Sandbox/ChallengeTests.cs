using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed class ChallengeTests
{
    private const string Bank = "AU90004";

    [Fact]
    public async Task A_bank_that_asks_for_a_code_waits_for_it_and_goes_on_with_the_right_one()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        var jobId = await host.Connect(userId, "jared", Bank);
        Assert.Equal("in-progress pending pending pending", Statuses(await host.Get($"/jobs/{jobId}")));
        await Answer(host, jobId, HttpStatusCode.BadRequest, "246810");

        host.Clock.Advance(TimeSpan.FromSeconds(2));
        var job = await host.Get($"/jobs/{jobId}");
        Assert.Equal("success in-progress pending pending", Statuses(job));
        var step = job.GetProperty("steps")[1];
        Assert.Equal("mfa-challenge", step.GetProperty("title").GetString());
        var challenge = step.GetProperty("result");
        Assert.Equal("mfa", challenge.GetProperty("type").GetString());
        Assert.Equal("token", challenge.GetProperty("method").GetString());
        Assert.Equal(120_000, challenge.GetProperty("expiryMs").GetInt64());
        Assert.Equal($"{host.BaseUrl}/jobs/{jobId}/mfa", challenge.GetProperty("links").GetProperty("response").GetString());
        Assert.Contains("246810", challenge.GetProperty("input")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal("pending", (await host.Get($"/users/{userId}/connections")).GetProperty("data")[0].GetProperty("status").GetString());

        host.Clock.Advance(TimeSpan.FromSeconds(100));
        var wrong = await Answer(host, jobId, HttpStatusCode.BadRequest, "000000");
        Assert.Equal("invalid-credentials", wrong.GetProperty("data")[0].GetProperty("code").GetString());
        var taken = await Answer(host, jobId, HttpStatusCode.Accepted, "246810");
        Assert.Equal(jobId, taken.GetProperty("id").GetString());
        await Answer(host, jobId, HttpStatusCode.BadRequest, "246810");
        string[] then = ["success success in-progress pending", "success success success in-progress", "success success success success"];
        foreach (var expected in then)
        {
            Assert.Equal(expected, Statuses(await host.Get($"/jobs/{jobId}")));
            host.Clock.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.NotEmpty(await host.Accounts(userId));
        Assert.Equal("active", (await host.Get($"/users/{userId}/connections")).GetProperty("data")[0].GetProperty("status").GetString());
        Assert.Equal("2026-03-16T09:31:46Z", (await host.Get($"/jobs/{jobId}")).GetProperty("updated").GetString());
    }

    [Fact]
    public async Task A_code_that_nobody_gives_in_time_fails_the_job()
    {
        await using var host = await SandboxHost.StartAsync(o => o.MfaExpiry = TimeSpan.FromSeconds(30));
        await host.SignIn();
        var userId = await host.CreateUser();
        var jobId = await host.Connect(userId, "jared", Bank);
        host.Clock.Advance(TimeSpan.FromSeconds(32));
        await Failed(host, userId, jobId);
    }

    [Fact]
    public async Task Three_wrong_codes_fail_the_job_and_invalidate_the_connection()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        var jobId = await host.Connect(userId, "jared", Bank);
        host.Clock.Advance(TimeSpan.FromSeconds(2));
        for (var i = 0; i < 3; i++)
            await Answer(host, jobId, HttpStatusCode.BadRequest, "1");
        await Failed(host, userId, jobId);
    }

    [Fact]
    public async Task The_users_own_client_token_may_answer_and_anothers_may_not()
    {
        await using var host = await SandboxHost.StartAsync();
        var server = await host.SignIn();
        var userId = await host.CreateUser();
        var jobId = await host.Connect(userId, "jared", Bank);
        host.Clock.Advance(TimeSpan.FromSeconds(2));
        var own = await host.ClientToken(userId);
        var foreign = await host.ClientToken(await host.CreateUser());
        foreach (var (token, expected) in (IEnumerable<(string?, HttpStatusCode)>)
            [(null, HttpStatusCode.Unauthorized), ("x", HttpStatusCode.Unauthorized), (foreign, HttpStatusCode.NotFound), (own, HttpStatusCode.Accepted)])
        {
            host.Http.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
            await Answer(host, jobId, expected, "246810");
        }

        host.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server);
        await Answer(host, await host.Connect(userId), HttpStatusCode.NotFound, "246810");
    }

    private static async Task Failed(SandboxHost host, string userId, string jobId)
    {
        var job = await host.Get($"/jobs/{jobId}");
        Assert.Equal("success failed pending pending", Statuses(job));
        Assert.Equal("invalid-credentials", job.GetProperty("steps")[1].GetProperty("result").GetProperty("code").GetString());
        Assert.Equal("invalid", (await host.Get($"/users/{userId}/connections")).GetProperty("data")[0].GetProperty("status").GetString());
        var events = (await host.Get("/events?filter=event.type.eq('invalidated')")).GetProperty("data");
        Assert.Equal(1, events.GetArrayLength());
        await Answer(host, jobId, HttpStatusCode.BadRequest, "246810");
    }

    private static Task<JsonElement> Answer(SandboxHost host, string jobId, HttpStatusCode expected, string code) =>
        host.Send(HttpMethod.Post, $"/jobs/{jobId}/mfa", expected, new Dictionary<string, string[]> { ["mfa-response"] = [code] });

    private static string Statuses(JsonElement job) =>
        string.Join(' ', job.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("status").GetString()));
}
