using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>Callers who misbehave: every answer is a problem that names what is wrong, and nothing reaches Basiq.</summary>
[Trait("Category", "Journeys")]
public sealed class HostileInputTests
{
    public static TheoryData<string> BadIds => new(
        "..%2Fx", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "a%2Fb", "a.b", "a%5Cb", "%F0%9F%98%80", new string('a', 300), "a%20b", "a%00b",
        "%27%20or%201");

    [Theory]
    [MemberData(nameof(BadIds))]
    public async Task An_id_that_is_none_is_refused_by_every_function_that_takes_it(string id)
    {
        await using var app = await AppUnderTest.StartAsync();
        (string Method, string Path, string Field)[] calls =
        [
            ("GET", $"users/{id}", "userId"), ("PATCH", $"users/{id}", "userId"), ("DELETE", $"users/{id}", "userId"),
            ("POST", $"users/{id}/client-token", "userId"), ("POST", $"users/{id}/consent-link", "userId"),
            ("POST", $"users/{id}/syncs", "userId"), ("GET", $"users/{id}/syncs/s", "userId"),
            ("GET", $"users/u/syncs/{id}", "syncId"), ("DELETE", $"users/u/syncs/{id}", "syncId"),
            ("GET", $"users/{id}/accounts", "userId"), ("GET", $"users/u/accounts/{id}/transactions", "accountId"),
            ("GET", $"users/{id}/connections", "userId"), ("DELETE", $"users/u/connections/{id}", "connectionId"),
            ("POST", $"users/{id}/refresh", "userId"),
        ];
        foreach (var (method, path, field) in calls)
        {
            using var request = Request(method, new Uri(app.Api.BaseAddress + path, new UriCreationOptions
            {
                DangerousDisablePathAndQueryCanonicalization = true,
            }));
            if (method is "POST" or "PATCH")
                request.Content = JsonContent.Create(new { email = "a@b.co" });
            using var answer = await app.Api.SendAsync(request);

            // These two end before any function: the host refuses dot segments, the server a NUL.
            if (id is "%2e%2e" or "a%00b")
            {
                Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
                continue;
            }

            var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-input");
            Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _), $"{method} {path}: {problem}");
        }

        var requests = (await app.StatsAsync()).GetProperty("requests");
        Assert.DoesNotContain(requests.EnumerateObject(), r => r.Name.Contains("/users", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{\"email\":")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("{\"email\":\"a@b.co\",\"email\":\"c@d.co\"}")]
    [InlineData("{\"email\":\"a@b.co\"} trailing")]
    [InlineData("{\"email\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":{\"j\":{\"k\":{\"l\":{\"m\":{\"n\":{\"o\":{\"p\":1}}}}}}}}}}}}}}}}}")]
    [InlineData("{\"jobIds\":[],\"email\":\"a@b.co\"}")]
    public async Task A_malformed_body_is_refused(string body)
    {
        await using var app = await AppUnderTest.StartAsync();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        using var answer = await app.Api.PostAsync(new Uri("users", UriKind.Relative), content);

        var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-input");
        Assert.NotEmpty(problem.GetProperty("errors").EnumerateObject());
        Assert.Equal(0, await app.CountAsync("POST /users"));
    }

    [Fact]
    public async Task A_body_of_ten_megabytes_is_refused_without_being_read()
    {
        await using var app = await AppUnderTest.StartAsync();
        foreach (var path in new[] { "users", "users/u/consent-link", "users/u/syncs", "users/u/refresh" })
        {
            using var content = new ByteArrayContent(new byte[10_000_000]);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var request = Request("POST", new Uri(path, UriKind.Relative));
            request.Content = content;
            request.Headers.ExpectContinue = true;

            using var answer = await app.Api.SendAsync(request);

            await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.RequestEntityTooLarge, "body-too-large");
        }
    }

    [Fact]
    public async Task Another_content_type_is_refused()
    {
        await using var app = await AppUnderTest.StartAsync();
        using var content = new FormUrlEncodedContent([new("email", "a@b.co")]);

        using var answer = await app.Api.PostAsync(new Uri("users", UriKind.Relative), content);

        await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"jobIds\":[]}")]
    [InlineData("{\"jobIds\":null}")]
    [InlineData("{\"jobIds\":\"a\"}")]
    [InlineData("{\"jobIds\":[\"a\",null]}")]
    [InlineData("{\"jobIds\":[\"../x\"]}")]
    [InlineData("{\"jobIds\":[1]}")]
    public async Task Job_ids_that_are_none_are_named(string body)
    {
        await using var app = await AppUnderTest.StartAsync();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        using var answer = await app.Api.PostAsync(new Uri("users/u/syncs", UriKind.Relative), content);

        var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-input");
        Assert.Contains(problem.GetProperty("errors").EnumerateObject(), e => e.Name.StartsWith("jobIds", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_forged_expired_or_borrowed_state_starts_nothing()
    {
        var clock = StandingClock.New();
        await using var app = await AppUnderTest.StartAsync(clock: clock);
        var gavin = await app.CreateUserAsync();
        var erlich = await app.CreateUserAsync("erlich@hooli.com");
        var gavins = await app.ConsentAsync(await app.CreateConsentLinkAsync(gavin), "jared");
        var erlichs = await app.ConsentAsync(await app.CreateConsentLinkAsync(erlich), "richard");
        var (gavinState, gavinJobs) = Parts(gavins);
        var (erlichState, erlichJobs) = Parts(erlichs);

        await RefusedAsync($"state={Uri.EscapeDataString(Flip(gavinState))}&jobIds={gavinJobs}");
        await RefusedAsync($"jobIds={gavinJobs}");
        await RefusedAsync($"state=&jobIds={gavinJobs}");
        await RefusedAsync($"state={Uri.EscapeDataString(erlichState)}&jobIds={gavinJobs}");
        await RefusedAsync($"state={Uri.EscapeDataString(gavinState)}&jobIds={gavinJobs},{erlichJobs}");
        clock.Advance(TimeSpan.FromDays(2));
        await RefusedAsync($"state={Uri.EscapeDataString(gavinState)}&jobIds={gavinJobs}");

        async Task RefusedAsync(string query)
        {
            using var answer = await app.Api.GetAsync(new Uri($"consent/return?{query}", UriKind.Relative));
            await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-state");
        }

        static (string State, string Jobs) Parts(Uri back)
        {
            var query = System.Web.HttpUtility.ParseQueryString(back.Query);
            return (query["state"]!, query["jobIds"]!);
        }

        static string Flip(string state) => state[..10] + (state[10] == 'A' ? 'B' : 'A') + state[11..];
    }

    [Theory]
    [InlineData("https://evil.example.com/banks")]
    [InlineData("https://app.example.com.evil.com/banks")]
    [InlineData("https://app.example.com@evil.com/banks")]
    [InlineData("https://app.example.com:444/banks")]
    [InlineData("https://app.example.com/banksy")]
    [InlineData("https://app.example.com/banks/../admin")]
    [InlineData("http://app.example.com/banks")]
    [InlineData("//app.example.com/banks")]
    [InlineData("/banks")]
    [InlineData("https:\\\\app.example.com\\banks")]
    [InlineData("javascript:alert(1)")]
    public async Task A_return_url_outside_the_allow_list_is_named(string returnUrl)
    {
        await using var app = await AppUnderTest.StartAsync(["Consent:ReturnUrls:0=https://app.example.com/banks"]);
        var userId = await app.CreateUserAsync();

        using var answer = await app.Api.PostAsJsonAsync($"users/{userId}/consent-link", new { returnUrl });

        var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-input");
        Assert.True(problem.GetProperty("errors").TryGetProperty("returnUrl", out _));
    }

    [Fact]
    public async Task What_is_not_there_is_a_problem_too()
    {
        await using var app = await AppUnderTest.StartAsync();

        using var nowhere = await app.Api.GetAsync(new Uri("nowhere", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(nowhere, HttpStatusCode.NotFound, "not-found");
        using var request = Request("PUT", new Uri("users", UriKind.Relative));
        using var wrongVerb = await app.Api.SendAsync(request);
        await AppUnderTest.AssertProblemAsync(wrongVerb, HttpStatusCode.MethodNotAllowed, "method-not-allowed");
    }

    private static HttpRequestMessage Request(string method, Uri uri) => new(new HttpMethod(method), uri);
}
