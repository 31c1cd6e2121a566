using System.Net;
using System.Text.RegularExpressions;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Edges;

/// <summary>Who watches a service often asks by HEAD, and is told what GET would tell, without the body.</summary>
[Trait("Category", "Journeys")]
public sealed partial class HeadTests
{
    [Fact]
    public async Task Every_function_that_answers_GET_answers_HEAD_alike()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();
        var statuses = new HashSet<HttpStatusCode>();
        foreach (var function in app.Services.GetRequiredService<FunctionCatalog>().Http.Where(f => f.Methods.Contains("get")))
        {
            var path = Parameter().Replace(function.Route, match => match.Value is "{userId}" ? userId : "unknown");

            using var get = await app.Api.GetAsync(new Uri(path, UriKind.Relative));
            using var ask = new HttpRequestMessage(HttpMethod.Head, new Uri(path, UriKind.Relative));
            using var head = await app.Api.SendAsync(ask);

            Assert.Equal((function.Name, get.StatusCode), (function.Name, head.StatusCode));
            Assert.Equal(HeadersOf(get), HeadersOf(head));
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
            statuses.Add(get.StatusCode);
        }

        Assert.Superset(new HashSet<HttpStatusCode> { HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.BadRequest }, statuses);
    }

    [Fact]
    public async Task An_answer_to_HEAD_ends_with_its_headers()
    {
        await using var app = await AppUnderTest.StartAsync();
        using var connection = await RawConnection.OpenAsync(app.Api.BaseAddress!);

        await connection.TrySendAsync("HEAD /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

        var answer = await connection.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Length: ", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }

    /// <summary>Without those that tell when an answer was made, and how the body is cut up that HEAD does not have.</summary>
    private static string[] HeadersOf(HttpResponseMessage answer) =>
    [
        .. answer.Headers.Concat(answer.Content.Headers)
            .Where(header => header.Key is not ("Date" or "Content-Length" or "Transfer-Encoding"))
            .Select(header => $"{header.Key}: {string.Join(", ", header.Value)}")
            .Order(StringComparer.Ordinal),
    ];

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();
}
