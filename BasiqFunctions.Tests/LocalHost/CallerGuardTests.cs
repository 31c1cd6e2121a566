using System.Net;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.Tests.Edges;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.LocalHost;

/// <summary>A page that the developer happens to look at cannot use the host on the developer's own machine.</summary>
[Trait("Category", "Journeys")]
public sealed class CallerGuardTests
{
    /// <summary>They check who sends them by themselves, and neither comes from here.</summary>
    private static readonly string[] OpenToAll = ["ConsentReturn", "ReceiveWebhook"];

    [Theory]
    [InlineData("Origin", "https://elsewhere.example")]
    [InlineData("Origin", "http://localhost:1")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Host", "rebound.example")]
    [InlineData("Host", "127.0.0.1.rebound.example")]
    public async Task Another_site_s_page_may_call_no_function_but_those_that_prove_themselves(string header, string value)
    {
        await using var app = await AppUnderTest.StartAsync();
        foreach (var function in app.Services.GetRequiredService<FunctionCatalog>().Http)
        {
            foreach (var method in function.Methods)
            {
                var answer = await AskAsync(app, method, function.Route, (header, value));

                var isRefused = answer.StartsWith("HTTP/1.1 403 ", StringComparison.Ordinal)
                    && (method == "head" || answer.Contains("\"code\":\"forbidden\"", StringComparison.Ordinal));
                Assert.True(isRefused != OpenToAll.Contains(function.Name), $"{method} {function.Name}: {answer}");
            }
        }

        Assert.Empty((await app.StatsAsync()).GetProperty("requests").EnumerateObject());
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:7071")]
    [InlineData("127.0.0.1:80")]
    [InlineData("127.0.0.2")]
    [InlineData("[::1]:7071")]
    public async Task The_host_s_own_names_are_answered_and_its_own_pages_too_with_TLS_before_it_or_without(string host)
    {
        await using var app = await AppUnderTest.StartAsync();
        foreach (var more in ((string, string)[][])
        [
            [],
            [("Sec-Fetch-Site", "same-origin"), ("Origin", $"http://{host}")],
            [("Sec-Fetch-Site", "same-origin"), ("Origin", $"https://{host}")],
            [("Sec-Fetch-Site", "none")],
        ])
        {
            var answer = await AskAsync(app, "get", "users/u", [("Host", host), .. more]);

            Assert.Contains("\"code\":\"user-not-found\"", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_is_no_browser_need_not_name_the_host()
    {
        await using var app = await AppUnderTest.StartAsync();
        using var connection = await RawConnection.OpenAsync(app.Api.BaseAddress!);

        await connection.TrySendAsync("GET /api/users/u HTTP/1.0\r\n\r\n");

        Assert.Contains("\"code\":\"user-not-found\"", await connection.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public async Task A_blank_key_is_no_key_and_opens_nothing(string key)
    {
        await using var app = await AppUnderTest.StartAsync([$"LocalHost:FunctionKey={key}"]);

        Assert.Contains("user-not-found", await AskAsync(app, "get", "users/u"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 403 ", await AskAsync(app, "get", "users/u", ("Host", "rebound.example")), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 403 ", await AskAsync(app, "get", "../console/status", ("Host", "rebound.example")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_key_the_host_has_any_name_and_other_sites_pages_stay_out()
    {
        await using var app = await AppUnderTest.StartAsync(["LocalHost:FunctionKey=a-key"]);
        var (host, key) = (("Host", "tunnel.example"), ("x-functions-key", "a-key"));

        Assert.Contains("user-not-found", await AskAsync(app, "get", "users/u", host, key, ("Origin", "https://tunnel.example")), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 401 ", await AskAsync(app, "get", "users/u", host), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 403 ", await AskAsync(app, "get", "users/u", host, key, ("Origin", "https://elsewhere.example")), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await app.Api.GetAsync(new Uri("health", UriKind.Relative))).StatusCode);
    }

    private static async Task<string> AskAsync(AppUnderTest app, string method, string route, params (string Name, string Value)[] headers)
    {
        using var connection = await RawConnection.OpenAsync(app.Api.BaseAddress!);
        var path = new Uri(new Uri("http://x/api/"), route.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal)).AbsolutePath;
        var host = headers.Any(h => h.Name == "Host") ? "" : "Host: localhost\r\n";
        await connection.TrySendAsync(
            $"{method.ToUpperInvariant()} {path} HTTP/1.1\r\n{host}{string.Concat(headers.Select(h => $"{h.Name}: {h.Value}\r\n"))}"
            + "Content-Length: 0\r\nConnection: close\r\n\r\n");
        return await connection.ReadToEndAsync();
    }
}
