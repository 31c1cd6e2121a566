using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Edges;

/// <summary>What stands in the headers of answers, and what no caller can put there.</summary>
[Trait("Category", "Journeys")]
public sealed partial class HeaderTests
{
    private const string ReturnUrl = "https://app.example.com/banks";
    private const string Injection = "\r\nSet-Cookie: evil=1";

    [Fact]
    public async Task Every_answer_has_the_protective_headers()
    {
        await using var app = await AppUnderTest.StartAsync([$"Consent:ReturnUrls:0={ReturnUrl}", "LocalHost:FunctionKey=the-key"]);
        app.Api.DefaultRequestHeaders.Add("x-functions-key", "the-key");
        var userId = await app.CreateUserAsync();
        var back = await app.ConsentAsync(await app.CreateConsentLinkAsync(userId, new { returnUrl = ReturnUrl }), "jared");
        using var redirect = await app.Api.GetAsync(back);
        AssertProtected(redirect, HttpStatusCode.SeeOther);
        var syncId = System.Web.HttpUtility.ParseQueryString(redirect.Headers.Location!.Query)["syncId"]!;
        await app.WaitForSyncAsync(userId, syncId);
        var accounts = await app.Api.GetFromJsonAsync<System.Text.Json.JsonElement>($"users/{userId}/accounts");
        var accountId = accounts.GetProperty("accounts")[0].GetProperty("id").GetString();
        var jobIds = await app.ConnectAsync(userId, "richard");

        (string Method, string Path, object? Body, HttpStatusCode Status)[] calls =
        [
            ("GET", "health", null, HttpStatusCode.OK),
            ("POST", "users", new { email = "erlich@hooli.com" }, HttpStatusCode.Created),
            ("GET", $"users/{userId}", null, HttpStatusCode.OK),
            ("PATCH", $"users/{userId}", new { firstName = "Gavin" }, HttpStatusCode.OK),
            ("POST", $"users/{userId}/client-token", null, HttpStatusCode.OK),
            ("POST", $"users/{userId}/consent-link", new { }, HttpStatusCode.OK),
            ("POST", $"users/{userId}/syncs", new { jobIds }, HttpStatusCode.Accepted),
            ("GET", $"users/{userId}/syncs/{syncId}", null, HttpStatusCode.OK),
            ("DELETE", $"users/{userId}/syncs/{syncId}", null, HttpStatusCode.Accepted),
            ("GET", $"users/{userId}/accounts", null, HttpStatusCode.OK),
            ("GET", $"users/{userId}/accounts/{accountId}/transactions", null, HttpStatusCode.OK),
            ("GET", $"users/{userId}/connections", null, HttpStatusCode.OK),
            ("GET", "users/nobody", null, HttpStatusCode.NotFound),
            ("GET", "users/a.b", null, HttpStatusCode.BadRequest),
            ("GET", "consent/return", null, HttpStatusCode.BadRequest),
            ("POST", "users", "{", HttpStatusCode.BadRequest),
            ("POST", "users", new string('x', 100_000), HttpStatusCode.RequestEntityTooLarge),
            ("GET", "nowhere", null, HttpStatusCode.NotFound),
            ("GET", "../elsewhere", null, HttpStatusCode.NotFound),
            ("GET", "users/%2e%2e", null, HttpStatusCode.BadRequest),
            ("PUT", "users", null, HttpStatusCode.MethodNotAllowed),
            ("DELETE", $"users/{userId}", null, HttpStatusCode.NoContent),
        ];
        foreach (var (method, path, body, status) in calls)
        {
            using var answer = await SendAsync(app, method, path, body);

            // A busy machine is told 202 after two seconds.
            AssertProtected(answer, method is "DELETE" && answer.StatusCode is HttpStatusCode.Accepted ? answer.StatusCode : status);
            Assert.False(answer.Headers.Contains("Strict-Transport-Security"), $"{method} {path}");
        }

        app.Api.DefaultRequestHeaders.Remove("x-functions-key");
        using var refused = await app.Api.GetAsync(new Uri($"users/{userId}", UriKind.Relative));
        AssertProtected(refused, HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("health")]
    [InlineData("nowhere")]
    [InlineData("users/a.b")]
    public async Task Over_https_browsers_are_told_to_stay_with_it(string path)
    {
        await using var app = await AppUnderTest.StartAsync();
        app.Api.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");

        using var answer = await app.Api.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal("max-age=31536000", Assert.Single(answer.Headers.GetValues("Strict-Transport-Security")));
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("null")]
    [InlineData("http://localhost:3000")]
    public async Task No_other_origin_is_allowed_anything(string origin)
    {
        await using var app = await AppUnderTest.StartAsync();
        app.Api.DefaultRequestHeaders.Add("Origin", origin);
        foreach (var function in app.Services.GetRequiredService<FunctionCatalog>().Http)
        {
            var path = Parameter().Replace(function.Route, "u");
            using var preflight = new HttpRequestMessage(HttpMethod.Options, new Uri(path, UriKind.Relative));
            preflight.Headers.Add("Access-Control-Request-Method", function.Methods[0].ToUpperInvariant());
            preflight.Headers.Add("Access-Control-Request-Headers", "x-functions-key, content-type");
            using var permission = await app.Api.SendAsync(preflight);
            Assert.Equal(HttpStatusCode.MethodNotAllowed, permission.StatusCode);
            AssertClosed(permission);

            using var answer = await SendAsync(app, function.Methods[0].ToUpperInvariant(), path, null);
            AssertClosed(answer);
        }
    }

    [Fact]
    public void Neither_host_is_told_to_open_up()
    {
        foreach (var file in new[] { "host.json", "local.settings.sample.json" })
            Assert.DoesNotContain("cors", File.ReadAllText(Path.Combine(Repository.Root, file)), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task No_field_carries_a_header_into_an_answer()
    {
        await using var app = await AppUnderTest.StartAsync([$"Consent:ReturnUrls:0={ReturnUrl}"]);
        var userId = await app.CreateUserAsync();
        var created = await app.CountAsync("POST /users");
        (string Path, string Field, string Before)[] fields =
        [
            ("users", "email", "a@hooli.com"), ("users", "mobile", "+61410888666"), ("users", "firstName", "Gavin"),
            ("users", "middleName", "M"), ("users", "lastName", "Belson"), ("users", "businessName", "Hooli"),
            ("users", "verificationDate", "31/01/2024"), ("users", $"x{Injection}", ""),
            ($"users/{userId}/consent-link", "returnUrl", ReturnUrl), ($"users/{userId}/consent-link", "action", "connect"),
            ($"users/{userId}/consent-link", "institutionId", "AU00000"), ($"users/{userId}/consent-link", "connectionId", "c"),
            ($"users/{userId}/refresh", "connectionId", "c"),
        ];
        foreach (var (path, field, before) in fields)
        {
            foreach (var injection in new[] { Injection, "\n", "\r", "\u0085", "\0" })
            {
                using var answer = await SendAsync(app, "POST", path, new Dictionary<string, string> { [field] = before + injection });
                await AssertRefusedAsync(answer, $"{path} {field}");
            }
        }

        using var jobs = await SendAsync(app, "POST", $"users/{userId}/syncs", new { jobIds = new[] { "j" + Injection } });
        await AssertRefusedAsync(jobs, "jobIds");
        var encoded = Uri.EscapeDataString(Injection);
        foreach (var path in new[]
        {
            $"users/u{encoded}", $"users/u/syncs/s{encoded}", $"users/{userId}/accounts/a{encoded}/transactions",
            $"consent/return?state={encoded}&jobIds=j", $"consent/return?state=s&jobIds=j{encoded}",
            $"users/{userId}/accounts?x{encoded}=1",
            $"users/{userId}/accounts/a/transactions?status=posted{encoded}",
        })
        {
            using var answer = await app.Api.GetAsync(new Uri(path, UriKind.Relative));
            await AssertRefusedAsync(answer, path);
        }

        Assert.Equal(created, await app.CountAsync("POST /users"));
    }

    [Fact]
    public async Task An_id_that_Basiq_made_up_carries_no_header_into_an_answer()
    {
        var upstream = new Upstream((call, body) => call is "POST /users"
            ? Encoding.UTF8.GetBytes("""{"type":"user","id":"u\r\nSet-Cookie: evil=1"}""")
            : body);
        await using var app = await AppUnderTest.StartAsync(configure: upstream.Attach);

        using var answer = await SendAsync(app, "POST", "users", new { email = "gavin@hooli.com" });

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal("/api/users/u%0D%0ASet-Cookie%3A%20evil%3D1", answer.Headers.Location!.OriginalString);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task The_host_that_a_caller_names_is_in_no_answer()
    {
        await using var app = await AppUnderTest.StartAsync(["LocalHost:FunctionKey=a-key"]);
        const string Body = """{"email":"gavin@hooli.com"}""";
        using var connection = await RawConnection.OpenAsync(app.Api.BaseAddress!);

        await connection.TrySendAsync(
            $"POST /api/users HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nx-functions-key: a-key\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\nConnection: close\r\n\r\n{Body}");
        var answer = await connection.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 201 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nLocation: /api/users/", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("evil.example", answer, StringComparison.Ordinal);
    }

    private static void AssertProtected(HttpResponseMessage answer, HttpStatusCode status)
    {
        var what = $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri!.AbsolutePath}";
        Assert.True(status == answer.StatusCode, $"{what}: {answer.StatusCode}");
        foreach (var (name, value) in new[]
        {
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        })
        {
            Assert.True(answer.Headers.TryGetValues(name, out var values), $"{what} has no {name}.");
            Assert.Equal(value, string.Join(", ", values));
        }

        Assert.False(answer.Headers.Contains("Server"), what);
        AssertClosed(answer);
    }

    private static void AssertClosed(HttpResponseMessage answer) =>
        Assert.DoesNotContain(answer.Headers.Concat(answer.Content.Headers), h => h.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));

    private static async Task AssertRefusedAsync(HttpResponseMessage answer, string what)
    {
        Assert.True(answer.StatusCode is HttpStatusCode.BadRequest, $"{what}: {answer.StatusCode}");
        Assert.False(answer.Headers.Contains("Set-Cookie"), what);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.StartsWith("{", body, StringComparison.Ordinal);
        Assert.False(body.Any(char.IsControl), what);
    }

    private static async Task<HttpResponseMessage> SendAsync(AppUnderTest app, string method, string path, object? body)
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(method),
            new Uri(app.Api.BaseAddress + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = path.Contains('%', StringComparison.Ordinal) }));
        request.Content = body switch
        {
            null => null,
            string text => new StringContent(text, Encoding.UTF8, "application/json"),
            _ => JsonContent.Create(body),
        };
        return await app.Api.SendAsync(request);
    }

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();
}
