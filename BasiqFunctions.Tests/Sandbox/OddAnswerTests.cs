using System.Net;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Sandbox.Control;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed class OddAnswerTests
{
    [Theory]
    [InlineData(OddAnswers.TokenRefused, "/token", 404, "check your API key")]
    [InlineData(OddAnswers.TokenOverloaded, "/token", 403, "Invalid request")]
    [InlineData(OddAnswers.TokenExpired, "/users/{userId}", 403, "Token has expired")]
    [InlineData(OddAnswers.Unavailable, "/users/{userId}", 503, "service-unavailable")]
    [InlineData(OddAnswers.BareForbidden, "/users/{userId}", 403, null)]
    [InlineData(OddAnswers.HtmlForbidden, "/token", 403, "<html>")]
    [InlineData(OddAnswers.HtmlNotFound, "/users/{userId}", 404, "<html>")]
    [InlineData(OddAnswers.HtmlSuccess, "/users/{userId}", 200, "<html>")]
    [InlineData(OddAnswers.LostJob, "/jobs/{jobId}", 404, "resource-not-found")]
    public async Task Something_else_is_answered_and_nothing_is_carried_out(string kind, string path, int status, string? says)
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        path = path.Replace("{userId}", userId, StringComparison.Ordinal)
            .Replace("{jobId}", await host.Connect(userId, "jared"), StringComparison.Ordinal);
        await Play(host, kind);

        foreach (var method in path == "/token" ? (HttpMethod[])[HttpMethod.Post] : path.StartsWith("/jobs", StringComparison.Ordinal) ? [HttpMethod.Get] : [HttpMethod.Get, HttpMethod.Delete])
        {
            using var answer = await host.Bare.SendAsync(new HttpRequestMessage(method, path));
            Assert.Equal(status, (int)answer.StatusCode);
            var body = await answer.Content.ReadAsStringAsync();
            if (says is null)
                Assert.Equal("", body);
            else
                Assert.Contains(says, body, StringComparison.Ordinal);
        }

        await host.SetOptions(new { oddAnswers = new { } });
        await host.Get($"/users/{userId}");
    }

    [Fact]
    public async Task A_byte_order_mark_stands_before_the_json_that_would_have_come()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var plain = await host.Http.GetByteArrayAsync($"/users/{userId}/accounts");
        await Play(host, OddAnswers.ByteOrderMark);
        var marked = await Bytes(host, $"/users/{userId}/accounts");
        Assert.Equal([.. Encoding.UTF8.Preamble, .. plain], marked);
        using var deleted = await host.Bare.DeleteAsync($"/users/{userId}");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
    }

    [Fact]
    public async Task A_page_that_shifted_ends_with_what_the_next_begins_with_and_nothing_is_missing()
    {
        await using var host = await SandboxHost.StartAsync(o => (o.AccountsPerUser, o.TransactionsPerAccount) = (1, 250));
        var userId = await host.UserWithBank();
        var whole = (await host.Transactions(userId, "?limit=100")).Select(Id).ToArray();
        await Play(host, OddAnswers.ShiftedPage);
        var shifted = (await host.Transactions(userId, "?limit=100")).Select(Id).ToArray();
        Assert.Equal(whole, shifted.Distinct());
        Assert.Equal(whole.Length + 2, shifted.Length);
        Assert.Equal(shifted[99], shifted[100]);
    }

    [Fact]
    public async Task Endless_pages_lead_back_to_themselves()
    {
        await using var host = await SandboxHost.StartAsync(o => (o.AccountsPerUser, o.TransactionsPerAccount) = (1, 400));
        var userId = await host.UserWithBank();
        await Play(host, OddAnswers.EndlessPages);
        static string Next(JsonElement page) => page.GetProperty("links").GetProperty("next").GetString()!;
        var second = Next(await host.Get($"/users/{userId}/transactions?limit=100"));
        Assert.Equal(second, Next(await host.Get(second)));
    }

    [Fact]
    public async Task Odd_records_stand_beside_whole_ones()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var accounts = (await host.Accounts(userId)).Select(a => a.GetRawText()).ToArray();
        var jobId = (await host.Get($"/users/{userId}/jobs")).GetProperty("data")[0].GetProperty("id").GetString();

        await Play(host, OddAnswers.AccountTwice);
        Assert.Equal([.. accounts, accounts[0]], (await Data(host, $"/users/{userId}/accounts")).Select(a => a.GetRawText()));
        await Play(host, OddAnswers.MalformedAccount);
        var odd = await Data(host, $"/users/{userId}/accounts");
        Assert.Equal(JsonValueKind.Null, odd[0].GetProperty("id").ValueKind);
        Assert.Equal(accounts, odd[1..].Select(a => a.GetRawText()));

        await Play(host, OddAnswers.MalformedJobs);
        var jobs = await Data(host, $"/users/{userId}/jobs");
        Assert.Equal(jobId, Id(jobs[0]));
        Assert.False(jobs[1].GetProperty("steps")[0].TryGetProperty("status", out _));
        await Play(host, OddAnswers.StepWithoutStatus);
        var job = JsonDocument.Parse(await Bytes(host, $"/jobs/{jobId}")).RootElement;
        Assert.False(job.GetProperty("steps")[2].TryGetProperty("status", out _));
        Assert.True(job.GetProperty("steps")[1].TryGetProperty("status", out _));
    }

    [Fact]
    public async Task A_kind_is_drawn_for_among_the_requests_that_it_concerns()
    {
        await using var host = await SandboxHost.StartAsync(o => o.OddAnswers = new() { [OddAnswers.TokenRefused] = 0.3, [OddAnswers.LostJob] = 1 });
        List<int> statuses = [];
        for (var i = 0; i < 200; i++)
        {
            using var answer = await host.Token("SERVER_ACCESS");
            statuses.Add((int)answer.StatusCode);
        }

        Assert.InRange(statuses.Count(s => s == 404), 35, 85);
        Assert.Equal(200 - statuses.Count(s => s == 404), statuses.Count(s => s == 200));
    }

    [Theory]
    [InlineData("""{"oddAnswers":{"nonsense":1}}""", "OddAnswers:nonsense")]
    [InlineData("""{"oddAnswers":{"html-200":2}}""", "OddAnswers:html-200")]
    [InlineData("""{"connectorStatuses":{"AU12345":"operational"}}""", "ConnectorStatuses:AU12345")]
    [InlineData("""{"connectorStatuses":{"AU90001":"broken"}}""", "ConnectorStatuses:AU90001")]
    [InlineData("""{"expiredTokenStatus":404}""", "ExpiredTokenStatus")]
    [InlineData("""{"tokenRequestLimit":0}""", "TokenRequestLimit")]
    public async Task A_kind_or_status_that_does_not_exist_is_refused_by_name(string body, string named)
    {
        await using var host = await SandboxHost.StartAsync();
        using var response = await host.Http.PatchAsync("/_sandbox/options", new StringContent(body, null, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(named, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <summary>Each request that the kind concerns from now on.</summary>
    private static Task Play(SandboxHost host, string kind)
    {
        host.Bare.DefaultRequestHeaders.Authorization = host.Http.DefaultRequestHeaders.Authorization;
        return host.SetOptions(new { oddAnswers = new Dictionary<string, double> { [kind] = 1 } });
    }

    private static Task<byte[]> Bytes(SandboxHost host, string path) => host.Bare.GetByteArrayAsync(path);

    private static async Task<JsonElement[]> Data(SandboxHost host, string path) =>
        [.. JsonDocument.Parse(await Bytes(host, path)).RootElement.GetProperty("data").EnumerateArray()];

    private static string Id(JsonElement resource) => resource.GetProperty("id").GetString()!;
}
