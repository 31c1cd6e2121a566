using System.Net;
using System.Text.Json;
using BasiqFunctions.Sandbox.Users;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed class ControlTests
{
    [Fact]
    public async Task Stats_count_requests_by_endpoint_statuses_and_pages_until_reset()
    {
        await using var host = await SandboxHost.StartAsync(o => (o.AccountsPerUser, o.TransactionsPerAccount) = (1, 1_200));
        var userId = await host.UserWithBank();
        var account = (await host.Accounts(userId))[0].GetProperty("id").GetString()!;
        await host.Transactions(userId, $"?filter=account.id.eq('{account}')");
        await host.Get($"/users/{userId}/transactions?filter=account.id.eq('{account}')");
        await host.Error(HttpMethod.Get, "/users/nobody", HttpStatusCode.NotFound);

        var stats = await host.Get("/_sandbox/stats");
        var requests = stats.GetProperty("requests");
        Assert.Equal(2, requests.GetProperty("POST /token").GetInt32());
        Assert.Equal(1, requests.GetProperty("POST /token SERVER_ACCESS").GetInt32());
        Assert.Equal(1, requests.GetProperty("POST /token CLIENT_ACCESS").GetInt32());
        Assert.Equal(4, requests.GetProperty("GET /users/{userId}/transactions").GetInt32());
        Assert.Equal(1, stats.GetProperty("statuses").GetProperty("404").GetInt32());
        Assert.Equal("""{"0":2,"500":1,"1000":1}""", stats.GetProperty("pages").GetProperty(account).GetRawText());

        await host.Send(HttpMethod.Post, "/_sandbox/reset", HttpStatusCode.NoContent);
        Assert.Equal("""{"requests":{},"statuses":{},"bankVisits":{"asked":0,"background":0},"transactionBytes":0,"pages":{}}""", (await host.Get("/_sandbox/stats")).GetRawText());
    }

    [Fact]
    public async Task Options_are_changed_in_part_or_whole_while_running()
    {
        await using var host = await SandboxHost.StartAsync(o => o.JobDuration = TimeSpan.FromMinutes(1));
        await host.SetOptions(new { accountsPerUser = 2, latency = "00:00:00" });
        var options = await host.Get("/_sandbox/options");
        Assert.Equal(2, options.GetProperty("accountsPerUser").GetInt32());
        Assert.Equal("00:01:00", options.GetProperty("jobDuration").GetString());
        Assert.False(options.TryGetProperty("apiKey", out _));

        await host.Send(HttpMethod.Put, "/_sandbox/options", HttpStatusCode.OK, new { seed = 5 });
        options = await host.Get("/_sandbox/options");
        Assert.Equal(JsonValueKind.Null, options.GetProperty("accountsPerUser").ValueKind);
        Assert.Equal("00:00:06", options.GetProperty("jobDuration").GetString());
        await host.SignIn();
    }

    [Theory]
    [InlineData("""{"shareOf429":1.5}""", "ShareOf429")]
    [InlineData("""{"shareOf429":0.6,"shareOf500":0.6}""", "ShareOf429")]
    [InlineData("""{"accountsPerUser":-1}""", "AccountsPerUser")]
    [InlineData("""{"jobDuration":"soon"}""", "jobDuration")]
    [InlineData("""{"nonsense":1}""", "nonsense")]
    [InlineData("""{"returnUrl":"/relative"}""", "ReturnUrl")]
    [InlineData("""[]""", "object")]
    public async Task A_bad_option_is_refused_by_name_and_changes_nothing(string body, string named)
    {
        await using var host = await SandboxHost.StartAsync();
        var before = (await host.Get("/_sandbox/options")).GetRawText();
        using var response = await host.Http.PatchAsync("/_sandbox/options", new StringContent(body, null, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(named, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(before, (await host.Get("/_sandbox/options")).GetRawText());
    }

    [Fact]
    public async Task A_bad_value_in_the_configuration_stops_the_start_by_name()
    {
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(
            async () => await (await SandboxHost.StartAsync(o => o.TokenLifetime = TimeSpan.Zero)).DisposeAsync());
        Assert.Contains("Sandbox:TokenLifetime is '00:00:00'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_request_is_too_many_with_the_time_to_wait()
    {
        await using var host = await SandboxHost.StartAsync(o => (o.ShareOf429, o.RetryAfter) = (1, TimeSpan.FromSeconds(2.5)));
        using var response = await host.Http.PostAsync("/users", null);
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(3), response.Headers.RetryAfter!.Delta);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.Http.GetAsync("/home")).StatusCode);
        await host.Get("/_sandbox/stats");
    }

    [Fact]
    public async Task Faults_are_as_frequent_as_asked_for_and_the_same_for_the_same_seed()
    {
        async Task<string> Statuses(int seed)
        {
            await using var host = await SandboxHost.StartAsync(o => (o.ShareOf429, o.ShareOf500, o.Seed) = (0.2, 0.3, seed));
            List<int> statuses = [];
            for (var i = 0; i < 300; i++)
            {
                using var response = await host.Http.GetAsync("/users/x");
                statuses.Add((int)response.StatusCode);
            }

            Assert.InRange(statuses.Count(s => s == 429), 35, 85);
            Assert.InRange(statuses.Count(s => s == 500), 60, 120);
            return string.Join(' ', statuses);
        }

        var first = await Statuses(1);
        Assert.Equal(first, await Statuses(1));
        Assert.NotEqual(first, await Statuses(2));
    }

    [Fact]
    public async Task Faults_can_be_kept_to_a_part_of_the_api()
    {
        await using var host = await SandboxHost.StartAsync(o => (o.ShareOf500, o.FaultsUnder) = (1, "/jobs"));
        await host.SignIn();
        await host.CreateUser();
        await host.Error(HttpMethod.Get, "/jobs/x", HttpStatusCode.InternalServerError);
    }

    [Fact]
    public async Task A_truncated_answer_ends_early_by_turns_cleanly_and_broken_but_the_work_was_done()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        await host.SetOptions(new { shareOfTruncatedBodies = 1 });
        using var http = new HttpClient { BaseAddress = new Uri(host.BaseUrl) };
        http.DefaultRequestHeaders.Authorization = host.Http.DefaultRequestHeaders.Authorization;

        var half = await http.GetStringAsync($"/users/{userId}/accounts");
        Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse(half));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.GetStringAsync($"/users/{userId}/accounts"));
        using var deleted = await http.DeleteAsync($"/users/{userId}");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await host.SetOptions(new { shareOfTruncatedBodies = 0 });
        await host.Error(HttpMethod.Get, $"/users/{userId}", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Latency_holds_an_answer_back_by_the_clock()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SetOptions(new { latency = "00:00:10" });
        var answer = host.Token("SERVER_ACCESS");
        var requests = 0;
        while (requests == 0)
            requests = (await host.Get("/_sandbox/stats")).GetProperty("requests").EnumerateObject().Count();
        Assert.False(answer.IsCompleted);
        while (!answer.IsCompleted)
        {
            host.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(HttpStatusCode.OK, (await answer).StatusCode);
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_refused()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        using var http = new HttpClient { BaseAddress = new Uri(host.BaseUrl) };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/users")
        {
            Content = new StringContent("{\"email\":\"" + new string('a', 2_000_000) + "\"}", null, "application/json"),
        };
        request.Headers.Authorization = host.Http.DefaultRequestHeaders.Authorization;
        request.Headers.ExpectContinue = true;
        using var response = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public void Test_users_are_found_by_login_whatever_the_case()
    {
        Assert.Equal("password", TestUsers.Find("BigHead")!.Password);
        Assert.Null(TestUsers.Find("nobody"));
        Assert.Equal(10, TestUsers.All.Count);
    }
}
