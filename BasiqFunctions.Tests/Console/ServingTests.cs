using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.Basiq;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Console;

/// <summary>How LocalHost serves the console, and whom it lets ask the console's own endpoints.</summary>
[Trait("Category", "Journeys")]
public sealed partial class ServingTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/reference")]
    public async Task A_page_lets_nothing_in_but_the_console_s_own_files_and_runs_nothing_inline(string path)
    {
        await using var app = await AppUnderTest.StartAsync();

        using var answer = await app.Api.GetAsync(path);
        var page = await answer.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"<script(?![^>]*\ssrc=)|\sstyle=|<style|\son\w+=|https?://(?!www\.w3\.org)", page);
        Assert.DoesNotContain("{assets}", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_file_that_the_pages_load_is_there_and_kept_by_browsers_for_good()
    {
        await using var app = await AppUnderTest.StartAsync();
        foreach (var page in (string[])["/", "/reference"])
        {
            var addresses = Address().Matches(await app.Api.GetStringAsync(page)).Select(m => m.Groups[1].Value).ToArray();
            Assert.Contains(addresses, address => address.EndsWith("/console.css", StringComparison.Ordinal));
            foreach (var address in addresses)
            {
                using var answer = await app.Api.GetAsync(address);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                Assert.Contains("immutable", answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
                Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            }
        }
    }

    [Fact]
    public async Task The_page_names_each_module_that_it_needs_so_that_all_are_fetched_at_once()
    {
        await using var app = await AppUnderTest.StartAsync();
        foreach (var page in (string[])["/", "/reference"])
        {
            var addresses = Address().Matches(await app.Api.GetStringAsync(page)).Select(m => m.Groups[1].Value).ToArray();
            var modules = addresses.Where(address => address.EndsWith(".js", StringComparison.Ordinal)).ToArray();
            foreach (var module in modules)
            {
                var imports = Import().Matches(await app.Api.GetStringAsync(module)).Select(m => m.Groups[1].Value);
                Assert.All(imports, import => Assert.Contains(modules, other => other.EndsWith($"/{import}", StringComparison.Ordinal)));
            }
        }
    }

    [Fact]
    public async Task A_browser_that_has_a_page_is_told_so_and_a_file_of_another_version_is_not_there()
    {
        await using var app = await AppUnderTest.StartAsync();
        using var first = await app.Api.GetAsync("/");

        using var again = new HttpRequestMessage(HttpMethod.Get, "/");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await app.Api.SendAsync(again);
        using var old = await app.Api.GetAsync("/console/assets/0123456789abcdef/main.js");

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        await AppUnderTest.AssertProblemAsync(old, HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task A_browser_gets_a_page_in_words_where_there_is_none_and_everybody_else_a_problem()
    {
        await using var app = await AppUnderTest.StartAsync();

        using var page = await AskAsync("/no/such/page", "text/html");
        using var program = await AskAsync("/no/such/page", "application/json");
        using var function = await AskAsync("/api/no-such-function", "text/html");

        Assert.Equal((HttpStatusCode.NotFound, "text/html"), (page.StatusCode, page.Content.Headers.ContentType!.MediaType));
        Assert.Contains("There is no page at this address", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("script-src 'self'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        await AppUnderTest.AssertProblemAsync(program, HttpStatusCode.NotFound, "not-found");
        await AppUnderTest.AssertProblemAsync(function, HttpStatusCode.NotFound, "not-found");

        async Task<HttpResponseMessage> AskAsync(string path, string accepted)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Accept.ParseAdd(accepted);
            return await app.Api.SendAsync(request);
        }
    }

    [Fact]
    public async Task Files_come_compressed_to_those_who_take_it_and_are_the_same()
    {
        await using var app = await AppUnderTest.StartAsync();
        var plain = await app.Api.GetStringAsync("/");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("br"));
        using var answer = await app.Api.SendAsync(request);

        Assert.Equal(["br"], answer.Content.Headers.ContentEncoding);
        await using var brotli = new System.IO.Compression.BrotliStream(
            await answer.Content.ReadAsStreamAsync(), System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(brotli);
        Assert.Equal(plain, await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task Status_tells_the_token_s_times_and_the_newest_syncs_and_no_secret()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();
        var syncId = await app.ConsentAndReturnAsync(userId, "Whistler");
        var sync = await app.WaitForSyncAsync(userId, syncId);

        var text = await app.Api.GetStringAsync("/console/status");
        var status = JsonElement.Parse(text);

        var token = status.GetProperty("token");
        Assert.True(token.GetProperty("expiresAt").GetDateTimeOffset() > token.GetProperty("mintedAt").GetDateTimeOffset());
        Assert.Contains(
            status.GetProperty("timers").EnumerateArray(),
            timer => timer.GetProperty("name").GetString() == "RefreshServerToken"
                && timer.GetProperty("nextRunAt").GetDateTimeOffset() > status.GetProperty("now").GetDateTimeOffset());
        var recent = Assert.Single(status.GetProperty("syncs").EnumerateArray());
        Assert.Equal(syncId, recent.GetProperty("syncId").GetString());
        Assert.Equal("completed", recent.GetProperty("status").GetString());
        Assert.Equal(sync.Transactions, recent.GetProperty("transactions").GetInt64());
        Assert.True(status.GetProperty("isSimulated").GetBoolean());
        Assert.DoesNotContain(SandboxOptions.DefaultApiKey, text, StringComparison.Ordinal);
        Assert.DoesNotContain("hooli.com", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Incoming_webhooks_are_told_with_what_came_of_them_each_once_and_Basiq_is_not_asked_for_it()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:Webhooks=false", "Basiq:MaxRetries=0", "Sync:PollDelayWithNews=00:00:00.1"]);
        var none = await app.Api.GetFromJsonAsync<JsonElement>("/console/webhooks");
        Assert.False(none.GetProperty("isSubscribed").GetBoolean());
        Assert.Empty(none.GetProperty("webhooks").EnumerateArray());
        await app.SubscribeAsync();
        var userId = await app.CreateUserAsync();
        var sync = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "Whistler"));
        var happened = (await app.Services.GetRequiredService<IBasiqClient>().ListEventsAsync()).Events.Single(e => e.TypeId == "account.updated");
        foreach (var webhookId in (string[])["message-1", "message-2"])
        {
            using var taken = await app.SendWebhookAsync(webhookId, $$"""{"eventId":"{{happened.Id}}"}""");
            Assert.Equal(HttpStatusCode.NoContent, taken.StatusCode);
        }

        var webhook = Assert.Single(await WaitForAsync(app, "done"));
        Assert.Equal(
            (happened.Id, "message-1", "account.updated", "covered", userId, sync.Jobs[0].ConnectionId),
            (Text("eventId"), Text("webhookId"), Text("type"), Text("outcome"), Text("userId"), Text("connectionId")));
        var before = await app.StatsAsync();
        var text = await app.Api.GetStringAsync("/console/webhooks");
        Assert.Equal(before.GetProperty("requests").GetRawText(), (await app.StatsAsync()).GetProperty("requests").GetRawText());
        Assert.True(JsonElement.Parse(text).GetProperty("isSubscribed").GetBoolean());
        Assert.DoesNotContain("whsec", text, StringComparison.Ordinal);
        Assert.DoesNotContain("hooli.com", text, StringComparison.Ordinal);

        // One that Basiq cannot be asked about says why, and one that it does not know is given up.
        using (var knob = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { shareOf500 = 1, faultsUnder = "/events" }))
            knob.EnsureSuccessStatusCode();
        using (var stuck = await app.SendWebhookAsync("message-3", """{"eventId":"stuck"}"""))
            Assert.Equal(HttpStatusCode.NoContent, stuck.StatusCode);
        await AppUnderTest.WaitForAsync(
            () => app.Api.GetFromJsonAsync<JsonElement>("/console/webhooks"),
            w => w.GetProperty("webhooks")[0] is var first && first.GetProperty("state").GetString() == "under-way"
                && first.GetProperty("trouble").ValueKind is JsonValueKind.String);

        string? Text(string name) => webhook.GetProperty(name).GetString();
    }

    private static async Task<JsonElement[]> WaitForAsync(AppUnderTest app, string state) =>
        [.. (await AppUnderTest.WaitForAsync(
            () => app.Api.GetFromJsonAsync<JsonElement>("/console/webhooks"),
            answer => answer.GetProperty("webhooks") is var all && all.GetArrayLength() > 0
                && all.EnumerateArray().All(webhook => webhook.GetProperty("state").GetString() == state)))
            .GetProperty("webhooks").EnumerateArray()];

    [Fact]
    public async Task The_knobs_reach_the_sandbox_and_bad_ones_are_named()
    {
        await using var app = await AppUnderTest.StartAsync();

        using var turned = await app.Api.PatchAsJsonAsync("/console/sandbox", new { latencyMilliseconds = 15, shareOf500 = 0.25 });
        Assert.Equal(HttpStatusCode.OK, turned.StatusCode);
        Assert.Equal(0.25, (await AppUnderTest.ReadAsync(turned)).GetProperty("shareOf500").GetDouble());
        var options = await app.Sandbox.GetFromJsonAsync<JsonElement>("_sandbox/options");
        Assert.Equal("00:00:00.0150000", options.GetProperty("latency").GetString());
        Assert.Equal("00:00:00.2000000", options.GetProperty("jobDuration").GetString());

        using var tooMuch = await app.Api.PatchAsJsonAsync("/console/sandbox", new { jobSeconds = -1 });
        var problem = await AppUnderTest.AssertProblemAsync(tooMuch, HttpStatusCode.BadRequest, "invalid-input");
        Assert.True(problem.GetProperty("errors").TryGetProperty("jobSeconds", out _));
        using var other = await app.Api.PatchAsJsonAsync("/console/sandbox", new { returnUrl = "https://elsewhere.example" });
        await AppUnderTest.AssertProblemAsync(other, HttpStatusCode.BadRequest, "invalid-input");
        using var together = await app.Api.PatchAsJsonAsync("/console/sandbox", new { shareOf429 = 0.9 });
        await AppUnderTest.AssertProblemAsync(together, HttpStatusCode.BadRequest, "invalid-input");
    }

    [Theory]
    [InlineData("Origin", "https://elsewhere.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Host", "rebound.example")]
    public async Task Another_site_s_page_may_neither_read_nor_turn_anything(string header, string value)
    {
        await using var app = await AppUnderTest.StartAsync();
        foreach (var (method, path) in new[] { ("GET", "/console/status"), ("GET", "/console/webhooks"), ("GET", "/console/sandbox"), ("PATCH", "/console/sandbox") })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            if (method == "PATCH")
                request.Content = JsonContent.Create(new { latencyMilliseconds = 1000 });
            request.Headers.TryAddWithoutValidation(header, value);
            using var answer = await app.Api.SendAsync(request);
            await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.Forbidden, "forbidden");
        }
    }

    [Fact]
    public async Task The_function_key_guards_the_console_s_endpoints_and_not_its_empty_pages()
    {
        await using var app = await AppUnderTest.StartAsync(["LocalHost:FunctionKey=a-key"]);

        using var page = await app.Api.GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        using var without = await app.Api.GetAsync("/console/status");
        await AppUnderTest.AssertProblemAsync(without, HttpStatusCode.Unauthorized, "unauthorized");
        using var webhooks = await app.Api.GetAsync("/console/webhooks");
        await AppUnderTest.AssertProblemAsync(webhooks, HttpStatusCode.Unauthorized, "unauthorized");
        using var knobs = await app.Api.PatchAsJsonAsync("/console/sandbox", new { latencyMilliseconds = 1 });
        await AppUnderTest.AssertProblemAsync(knobs, HttpStatusCode.Unauthorized, "unauthorized");
        app.Api.DefaultRequestHeaders.Add("x-functions-key", "a-key");
        using var with = await app.Api.GetAsync("/console/status");
        Assert.Equal(HttpStatusCode.OK, with.StatusCode);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    public async Task A_consent_may_return_to_the_console_and_to_what_is_configured(string host)
    {
        await using var app = await AppUnderTest.StartAsync(["Consent:ReturnUrls:0=https://app.example.com/banks"]);
        var userId = await app.CreateUserAsync();

        foreach (var returnUrl in (string[])[$"http://{host}:{app.Api.BaseAddress!.Port}/?userId={userId}", "https://app.example.com/banks"])
        {
            using var link = await app.Api.PostAsJsonAsync($"users/{userId}/consent-link", new { returnUrl });
            Assert.Equal(HttpStatusCode.OK, link.StatusCode);
        }

        using var foreign = await app.Api.PostAsJsonAsync($"users/{userId}/consent-link", new { returnUrl = "http://localhost:1/" });
        await AppUnderTest.AssertProblemAsync(foreign, HttpStatusCode.BadRequest, "invalid-input");
    }

    [GeneratedRegex("(?:href|src)=\"(/console/[^\"]+)\"")]
    private static partial Regex Address();

    [GeneratedRegex(@"from '\./([\w.]+)'")]
    private static partial Regex Import();
}
