using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed partial class ConsentPageTests
{
    [Fact]
    public async Task The_page_offers_the_banks_then_the_log_in_and_then_goes_back_with_job_and_state()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        var token = await host.ClientToken(userId);
        const string State = "a/b+c=&é \"<";

        var banks = await Text(await host.Http.GetAsync($"/home?token={token}&state={Uri.EscapeDataString(State)}"));
        Assert.Contains(">Hooli</button>", banks, StringComparison.Ordinal);
        var logIn = await Text(await Post(host, Fields(banks)));
        Assert.Contains("Log in to Hooli", logIn, StringComparison.Ordinal);
        Assert.All(TestUsers.All, u => Assert.Contains($"<code>{u.LoginId}</code> <code>{u.Password}</code>", logIn, StringComparison.Ordinal));
        var response = await Post(host, [.. Fields(logIn), ("loginId", "richard"), ("password", "tabsnotspaces"), ("finish", "1")]);

        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        Assert.StartsWith("http://localhost:7071/api/consent/return?", response.Headers.Location!.OriginalString, StringComparison.Ordinal);
        var query = SandboxHost.QueryOf(response.Headers.Location);
        Assert.Equal(State, query["state"]);
        Assert.Equal(query["jobIds"], query["jobId"]);
        await host.Get($"/jobs/{query["jobId"]}");
        var consent = (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0];
        Assert.Equal("active", consent.GetProperty("status").GetString());
    }

    [Fact]
    public async Task The_end_that_a_person_agrees_to_is_a_day_of_Sydney_s()
    {
        await using var host = await SandboxHost.StartAsync(clock: new(new(2026, 1, 1, 13, 30, 0, TimeSpan.Zero)));
        await host.SignIn();
        var token = await host.ClientToken(await host.CreateUser());
        var logIn = await Text(await host.Http.GetAsync($"/home?token={token}&institutionId=AU00000"));
        Assert.Contains("Until 2 January 2027.", logIn, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_banks_are_connected_in_one_visit_one_post_each()
    {
        await using var host = await SandboxHost.StartAsync(o => o.ReturnUrl = "https://app.example/back?x=1");
        await host.SignIn();
        var userId = await host.CreateUser();
        var token = await host.ClientToken(userId);

        var first = await Text(await host.PostConsent(
            token, ("institutionId", "AU00000"), ("loginId", "jared"), ("password", "django"), ("another", "1"), ("state", "s")));
        var jobIds = Fields(first).Single(f => f.Name == "jobIds").Value;
        var response = await host.PostConsent(
            token, ("institutionId", "AU90002"), ("loginId", "bighead"), ("password", "password"), ("finish", "1"), ("state", "s"), ("jobIds", jobIds));

        var query = SandboxHost.QueryOf(response.Headers.Location!);
        Assert.Equal("1", query["x"]);
        Assert.Equal(2, query["jobIds"].Split(',').Length);
        Assert.Equal(jobIds, query["jobIds"].Split(',')[0]);
        Assert.Equal(2, (await host.Get($"/users/{userId}/connections")).GetProperty("data").GetArrayLength());
        Assert.Equal(1, (await host.Get($"/users/{userId}/consents")).GetProperty("size").GetInt32());
    }

    [Fact]
    public async Task After_another_bank_the_visit_can_end_without_one_more()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var token = await host.ClientToken(await host.CreateUser());
        var page = await Text(await host.PostConsent(
            token, ("institutionId", "AU00000"), ("loginId", "jared"), ("password", "django"), ("another", "1")));
        var jobIds = Fields(page).Single(f => f.Name == "jobIds").Value;
        var response = await host.PostConsent(token, ("jobIds", jobIds), ("finish", "1"));
        Assert.Equal(jobIds, SandboxHost.QueryOf(response.Headers.Location!)["jobIds"]);
    }

    [Fact]
    public async Task Another_users_jobs_do_not_come_back_with_ours()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var foreign = await host.Connect(await host.CreateUser());
        var token = await host.ClientToken(await host.CreateUser());
        var response = await host.PostConsent(
            token, ("institutionId", "AU00000"), ("loginId", "jared"), ("password", "django"), ("finish", "1"), ("jobIds", foreign + ",none"));
        Assert.DoesNotContain(foreign, response.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jared", "Django")]
    [InlineData("nobody", "django")]
    [InlineData("<script>alert(1)</script>", "\"><script>")]
    public async Task A_wrong_password_shows_the_form_again_and_whatever_was_typed_is_encoded(string login, string password)
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        var response = await host.PostConsent(
            await host.ClientToken(userId),
            ("institutionId", "AU00000"), ("loginId", login), ("password", password), ("finish", "1"), ("state", "\"><script>"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var page = await response.Content.ReadAsStringAsync();
        Assert.Contains("role=\"alert\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.Empty((await host.Get($"/users/{userId}/jobs")).GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task Only_a_living_client_token_opens_the_page()
    {
        await using var host = await SandboxHost.StartAsync();
        var server = await host.SignIn();
        var expired = await host.ClientToken(await host.CreateUser());
        host.Clock.Advance(TimeSpan.FromHours(1));
        foreach (var token in (string[])[expired, server, "", "nonsense"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await host.Http.GetAsync($"/home?token={token}")).StatusCode);
            var response = await host.PostConsent(
                token, ("institutionId", "AU00000"), ("loginId", "jared"), ("password", "django"), ("finish", "1"));
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await host.Http.GetAsync("/home")).StatusCode);
    }

    [Fact]
    public async Task Cancelling_goes_back_with_the_state_and_no_job()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var response = await host.PostConsent(await host.ClientToken(await host.CreateUser()), ("state", "s"), ("cancel", "1"));
        Assert.Equal("http://localhost:7071/api/consent/return?state=s", response.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task An_institution_skips_the_picker_and_an_unknown_one_brings_it_back()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var token = await host.ClientToken(await host.CreateUser());
        Assert.Contains(
            "Log in to Kookaburra Direct", await Text(await host.Http.GetAsync($"/home?token={token}&institutionId=AU90003")), StringComparison.Ordinal);
        var response = await host.Http.GetAsync($"/home?token={token}&institutionId=AU1");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(">Hooli</button>", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await host.PostConsent(token, ("finish", "1"))).StatusCode);
    }

    [Fact]
    public async Task A_revoked_consent_makes_its_connections_invalid_until_one_is_reauthorised()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var consentId = (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("id").GetString();
        var connectionId = (await host.Get($"/users/{userId}/connections")).GetProperty("data")[0].GetProperty("id").GetString()!;
        var url = $"/users/{userId}/connections/{connectionId}";

        await host.Send(HttpMethod.Delete, $"/users/{userId}/consents/{consentId}", HttpStatusCode.NoContent);
        await host.Error(HttpMethod.Delete, $"/users/{userId}/consents/{consentId}", HttpStatusCode.NotFound);
        Assert.Equal("revoked", (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0].GetProperty("status").GetString());
        Assert.Equal("invalid", (await host.Get(url)).GetProperty("status").GetString());
        var job = await host.Send(HttpMethod.Post, $"{url}/refresh", HttpStatusCode.Accepted);
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        var steps = (await host.Get(job.GetProperty("links").GetProperty("self").GetString()!)).GetProperty("steps");
        Assert.Equal("authorization-failed", steps[0].GetProperty("result").GetProperty("code").GetString());

        var token = await host.ClientToken(userId);
        var logIn = await Text(await host.Http.GetAsync($"/home?token={token}&action=reauthorise&connectionId={connectionId}"));
        await Post(host, [.. Fields(logIn), ("loginId", "richard"), ("password", "tabsnotspaces"), ("finish", "1")]);
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("active", (await host.Get(url)).GetProperty("status").GetString());
        Assert.Equal(2, (await host.Get($"/users/{userId}/consents")).GetProperty("size").GetInt32());
    }

    [Fact]
    public async Task Extending_moves_the_expiry_of_the_consent()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        host.Clock.Advance(TimeSpan.FromDays(300));
        await host.SignIn();
        await host.PostConsent(await host.ClientToken(userId), ("action", "extend"), ("finish", "1"));
        var consent = (await host.Get($"/users/{userId}/consents")).GetProperty("data")[0];
        Assert.Equal((SandboxHost.Start + TimeSpan.FromSeconds(6)).AddDays(300).AddYears(1), consent.GetProperty("expiryDate").GetDateTimeOffset());
    }

    [Fact]
    public async Task The_page_tells_the_browser_to_keep_everything_to_itself()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var response = await host.Http.GetAsync($"/home?token={await host.ClientToken(await host.CreateUser())}");
        Assert.Equal("no-referrer", response.Headers.GetValues("Referrer-Policy").Single());
        Assert.Contains("default-src 'none'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.True(response.Headers.CacheControl!.NoStore);
        var page = await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("://", page, StringComparison.Ordinal);
        var style = await host.Http.GetAsync("/home/style.css");
        Assert.Equal("text/css", style.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Whoever_leaves_at_a_bank_leaves_a_connection_that_says_how_far_they_came_and_goes_on_with_it()
    {
        await using var host = await SandboxHost.StartAsync();
        host.Bare.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await host.SignIn());
        var userId = await host.CreateUser();
        var token = await host.ClientToken(userId);

        await host.PostConsent(token);
        Assert.Empty(await ConnectionsAsync());
        await host.PostConsent(token, ("institutionId", "AU00000"));
        await host.PostConsent(token, ("institutionId", "AU00000"));
        var begun = Assert.Single(await ConnectionsAsync());
        Assert.Equal("pre-init", begun.GetProperty("status").GetString());
        var id = begun.GetProperty("id").GetString();
        await host.Error(HttpMethod.Post, $"/users/{userId}/connections/{id}/refresh", HttpStatusCode.BadRequest);
        await host.PostConsent(token, ("institutionId", "AU00000"), ("loginId", "richard"), ("password", "wrong"), ("finish", "1"));
        Assert.Equal("init", Assert.Single(await ConnectionsAsync()).GetProperty("status").GetString());
        Assert.DoesNotContain((await host.Get("/events")).GetProperty("data").EnumerateArray(), e => e.GetProperty("entity").GetString() == "connection");

        await host.Connect(userId);
        Assert.Equal("pending", Assert.Single(await ConnectionsAsync()).GetProperty("status").GetString());
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        var finished = Assert.Single(await ConnectionsAsync());
        Assert.Equal((id, "active"), (finished.GetProperty("id").GetString(), finished.GetProperty("status").GetString()));
        Assert.NotEmpty(await host.Accounts(userId));

        // Of the statuses that the guide names the OpenAPI description lacks init.
        async Task<JsonElement[]> ConnectionsAsync() =>
            [.. (await host.Bare.GetFromJsonAsync<JsonElement>($"/users/{userId}/connections")).GetProperty("data").EnumerateArray()];
    }

    [Fact]
    public async Task A_form_that_is_sent_twice_makes_one_connection()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        var logIn = await Text(await host.PostConsent(await host.ClientToken(userId), ("institutionId", "AU00000")));
        (string, string)[] form = [.. Fields(logIn), ("finish", "1")];

        foreach (var (login, password, connections) in (IEnumerable<(string, string, int)>)[("richard", "tabsnotspaces", 1), ("richard", "tabsnotspaces", 1), ("jared", "django", 2)])
        {
            using var answer = await Post(host, [.. form, ("loginId", login), ("password", password)]);
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
            await host.Get($"/jobs/{SandboxHost.QueryOf(answer.Headers.Location!)["jobId"]}");
            Assert.Equal(connections, (await host.Get($"/users/{userId}/connections")).GetProperty("data").GetArrayLength());
        }
    }

    private static async Task<string> Text(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    private static Task<HttpResponseMessage> Post(SandboxHost host, IEnumerable<(string Name, string Value)> fields) =>
        host.Http.PostAsync("/home", new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value))));

    /// <summary>The hidden fields of the page's first form, as a browser would send them.</summary>
    private static (string Name, string Value)[] Fields(string page) =>
    [
        .. HiddenField().Matches(page[..page.IndexOf("</form>", StringComparison.Ordinal)])
            .Select(m => (m.Groups[1].Value, WebUtility.HtmlDecode(m.Groups[2].Value))),
    ];

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\">")]
    private static partial Regex HiddenField();
}
