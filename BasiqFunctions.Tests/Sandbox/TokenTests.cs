using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using BasiqFunctions.Sandbox;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed class TokenTests
{
    [Fact]
    public async Task A_server_token_opens_the_api_for_an_hour_and_then_no_more()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        await host.CreateUser();

        host.Clock.Advance(TimeSpan.FromMinutes(59));
        await host.CreateUser();
        host.Clock.Advance(TimeSpan.FromMinutes(1));

        var error = await host.Error(HttpMethod.Post, "/users", HttpStatusCode.Forbidden, new { email = "a@b.example" });
        Assert.Equal("Token has expired", error.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("wrong")]
    [InlineData("")]
    public async Task A_wrong_api_key_is_not_found_with_an_error_body(string key)
    {
        await using var host = await SandboxHost.StartAsync();
        using var response = await host.Token("SERVER_ACCESS", key: key);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal("resource-not-found", body.RootElement.GetProperty("data")[0].GetProperty("code").GetString());
        Assert.NotEqual("", body.RootElement.GetProperty("correlationId").GetString());
    }

    [Fact]
    public async Task A_rotated_api_key_is_the_only_one_accepted_and_old_tokens_go_on()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        await host.SetOptions(new { apiKey = "next-key" });
        Assert.Equal(HttpStatusCode.NotFound, (await host.Token("SERVER_ACCESS")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Token("SERVER_ACCESS", key: "next-key")).StatusCode);
        await host.CreateUser();
    }

    [Theory]
    [InlineData(null, "parameter-not-supplied")]
    [InlineData("2.1", "parameter-not-valid")]
    public async Task Without_version_3_no_token_is_given(string? version, string code)
    {
        await using var host = await SandboxHost.StartAsync();
        using var response = await host.Token("SERVER_ACCESS", version: version);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        var error = body.RootElement.GetProperty("data")[0];
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.Equal("basiq-version", error.GetProperty("source").GetProperty("parameter").GetString());
    }

    [Theory]
    [InlineData("ROOT_ACCESS", null, HttpStatusCode.BadRequest)]
    [InlineData("", null, HttpStatusCode.BadRequest)]
    [InlineData("CLIENT_ACCESS", null, HttpStatusCode.BadRequest)]
    [InlineData("CLIENT_ACCESS", "nobody", HttpStatusCode.NotFound)]
    public async Task A_scope_that_cannot_be_granted_is_refused(string scope, string? userId, HttpStatusCode expected)
    {
        await using var host = await SandboxHost.StartAsync();
        Assert.Equal(expected, (await host.Token(scope, userId)).StatusCode);
    }

    [Fact]
    public async Task A_client_token_is_forbidden_everything_but_the_consent_page_and_the_jobs_of_its_user()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var ownJob = await host.Connect(userId, "jared");
        var anothers = await host.Connect(await host.CreateUser(), "jared");
        var token = await host.ClientToken(userId);
        host.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

        string[] paths = ["", "/accounts", "/transactions", "/connections", "/jobs", "/consents", "/auth_link"];
        foreach (var path in paths)
        {
            var error = await host.Error(HttpMethod.Get, $"/users/{userId}{path}", HttpStatusCode.Forbidden);
            Assert.Equal("forbidden-access", error.GetProperty("code").GetString());
        }

        Assert.Equal(HttpStatusCode.OK, (await host.Http.GetAsync($"/home?token={token}")).StatusCode);
        await host.Get($"/jobs/{ownJob}");
        await host.Error(HttpMethod.Get, $"/jobs/{anothers}", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_page_of_another_origin_may_ask_for_a_job_and_for_nothing_else()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        var jobId = await host.Connect(userId);
        foreach (var (path, methods) in ((string, string?)[])[($"/jobs/{jobId}", "GET, HEAD"), ($"/jobs/{jobId}/mfa", "POST"), ($"/users/{userId}", null)])
        {
            using var preflight = new HttpRequestMessage(HttpMethod.Options, path);
            preflight.Headers.Add("Origin", "https://consent.example");
            preflight.Headers.Add("Access-Control-Request-Method", "GET");
            using var allowed = await host.Http.SendAsync(preflight);
            Assert.Equal(methods, Header(allowed, "Access-Control-Allow-Methods"));
            Assert.Equal(methods is null ? null : "*", Header(allowed, "Access-Control-Allow-Origin"));
            Assert.Equal(methods is not null, Header(allowed, "Access-Control-Allow-Headers")?.Contains("Authorization", StringComparison.Ordinal) ?? false);
        }

        using var job = await host.Http.GetAsync($"/jobs/{jobId}");
        Assert.Equal("*", Header(job, "Access-Control-Allow-Origin"));
        using var user = await host.Http.GetAsync($"/users/{userId}");
        Assert.Null(Header(user, "Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task HEAD_is_answered_as_GET_is_but_without_a_body()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        foreach (var path in (string[])[$"/users/{userId}", $"/users/{userId}/accounts", $"/users/{userId}/transactions", "/users/nobody", "/connectors"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, path);
            using var head = await host.Http.SendAsync(request);
            using var get = await host.Http.GetAsync(path);
            Assert.Equal((get.StatusCode, get.Content.Headers.ContentType), (head.StatusCode, head.Content.Headers.ContentType));
            Assert.Equal("", await head.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Every_answer_is_dated_by_the_sandboxs_own_clock()
    {
        await using var host = await SandboxHost.StartAsync();
        foreach (var path in (string[])["/users", "/home", "/_sandbox/stats", "/nowhere"])
        {
            host.Clock.Advance(TimeSpan.FromDays(400));
            using var answer = await host.Bare.GetAsync(path);
            Assert.Equal(host.Clock.GetUtcNow(), answer.Headers.Date);
        }
    }

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? Assert.Single(values) : null;

    [Theory]
    [InlineData("Bearer nonsense")]
    [InlineData("Bearer ")]
    [InlineData("Basic " + SandboxOptions.DefaultApiKey)]
    [InlineData("Bearer  two words")]
    public async Task A_malformed_token_is_unauthorized(string header)
    {
        await using var host = await SandboxHost.StartAsync();
        host.Http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", header);
        await host.Error(HttpMethod.Get, "/users/x/accounts", HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_token_with_one_character_changed_is_unauthorized()
    {
        await using var host = await SandboxHost.StartAsync();
        var token = await host.SignIn();
        for (var at = 0; at < token.Length; at += 7)
        {
            var changed = token[..at] + (token[at] == 'A' ? 'B' : 'A') + token[(at + 1)..];
            host.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", changed);
            await host.Error(HttpMethod.Get, "/jobs/x", HttpStatusCode.Unauthorized);
        }
    }
}
