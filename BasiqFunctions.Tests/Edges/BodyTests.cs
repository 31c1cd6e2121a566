using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Edges;

/// <summary>Bodies that are too much, of another kind or not what they claim to be.</summary>
[Trait("Category", "Journeys")]
public sealed class BodyTests
{
    [Fact]
    public async Task What_people_copy_from_an_answer_is_there_as_it_is_used()
    {
        await using var app = await AppUnderTest.StartAsync();
        using var link = await app.Api.PostAsJsonAsync($"users/{await app.CreateUserAsync()}/consent-link", new { });
        Assert.Contains("&state=", await link.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        using var refused = await app.Api.PostAsJsonAsync("users/u/reports", new { type = "affordability", from = "2026-02-01", to = "2026-01-01" });
        Assert.Contains("must not be before 'from'.", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static readonly string[] TakingBodies = ["users", "users/u/consent-link", "users/u/syncs", "users/u/refresh"];

    [Theory]
    [InlineData("users")]
    [InlineData("users/u/consent-link")]
    [InlineData("users/u/syncs")]
    [InlineData("users/u/refresh")]
    public async Task A_body_without_a_length_is_refused_as_soon_as_it_is_too_large(string path)
    {
        await using var app = await AppUnderTest.StartAsync();
        using var connection = await RawConnection.OpenAsync(app.Api.BaseAddress!);

        await connection.TrySendAsync($"POST /api/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (var chunk = 0; chunk < 17; chunk++)
            await connection.TrySendAsync($"1000\r\n{new string(' ', 0x1000)}\r\n");

        // The last chunk never comes: the answer does not wait for it.
        var answer = await connection.ReadUntilAsync(text => text.Contains('}', StringComparison.Ordinal));
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"body-too-large\"", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_small_body_without_a_length_is_taken()
    {
        await using var app = await AppUnderTest.StartAsync();
        using var connection = await RawConnection.OpenAsync(app.Api.BaseAddress!);

        await connection.TrySendAsync(
            "POST /api/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            + "a\r\n{\"email\":\"\r\n11\r\ngavin@hooli.com\"}\r\n0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 201 ", await connection.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: 27\r\nTransfer-Encoding: chunked")]
    [InlineData("Content-Length: 27\r\nContent-Length: 28")]
    [InlineData("Content-Length: -1")]
    [InlineData("Transfer-Encoding: gzip")]
    public async Task A_body_of_two_lengths_makes_no_user(string framing)
    {
        await using var app = await AppUnderTest.StartAsync();
        using var connection = await RawConnection.OpenAsync(app.Api.BaseAddress!);

        await connection.TrySendAsync(
            $"POST /api/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{framing}\r\nConnection: close\r\n\r\n"
            + "{\"email\":\"gavin@hooli.com\"}");

        Assert.Matches("^HTTP/1.1 4", await connection.ReadToEndAsync());
        Assert.Equal(0, await app.CountAsync("POST /users"));
    }

    [Theory]
    [InlineData("7fffffff")]
    [InlineData("80000000")]
    [InlineData("ffffffff")]
    [InlineData("100000000")]
    [InlineData("ffffffffffffffff")]
    [InlineData("10000000000000000")]
    [InlineData("-1")]
    [InlineData("x")]
    [InlineData("")]
    public async Task A_chunk_of_an_impossible_size_is_the_caller_s_mistake(string size)
    {
        await using var app = await AppUnderTest.StartAsync();
        using var connection = await RawConnection.OpenAsync(app.Api.BaseAddress!);

        await connection.TrySendAsync(
            "POST /api/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            + $"{size}\r\n{new string(' ', 100_000)}");

        Assert.Matches("^HTTP/1.1 4(00|13) ", await connection.ReadUntilAsync(text => text.Contains('}', StringComparison.Ordinal)));
        Assert.DoesNotContain(app.Logs.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
        Assert.Equal(0, await app.CountAsync("POST /users"));
    }

    [Theory]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; charset=iso-8859-1")]
    [InlineData("application/json; charset=nonsense")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("text/plain")]
    [InlineData("text/json")]
    [InlineData("application/xml")]
    [InlineData("application/json, text/plain")]
    [InlineData("json")]
    [InlineData(null)]
    public async Task Only_JSON_in_UTF8_is_taken_by_any_function(string? contentType)
    {
        await using var app = await AppUnderTest.StartAsync();
        foreach (var path in TakingBodies)
        {
            using var content = new ByteArrayContent("{\"email\":\"gavin@hooli.com\"}"u8.ToArray());
            if (contentType is not null)
                content.Headers.TryAddWithoutValidation("Content-Type", contentType);
            using var answer = await app.Api.PostAsync(new Uri(path, UriKind.Relative), content);
            await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
        }

        Assert.Equal(0, await app.CountAsync("POST /users"));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("identity, gzip")]
    public async Task A_compressed_body_is_not_unpacked(string encoding)
    {
        await using var app = await AppUnderTest.StartAsync();
        using var content = new ByteArrayContent("{\"email\":\"gavin@hooli.com\"}"u8.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);

        using var answer = await app.Api.PostAsync(new Uri("users", UriKind.Relative), content);

        await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }

    [Theory]
    [InlineData("{\"email\":\"a@hooli.com\",\"\\u0065mail\":\"b@hooli.com\"}", "email")]
    [InlineData("{\"email\":\"a@hooli.com\",\"businessAddress\":{\"suburb\":\"a\",\"suburb\":\"b\"}}", "businessAddress.suburb")]
    [InlineData("{\"email\":\"a@hooli.com\",\"Email\":\"b@hooli.com\"}", "Email")]
    [InlineData("{\"email\":null,\"email\":\"b@hooli.com\"}", "email")]
    public async Task A_property_that_could_be_read_in_two_ways_is_named(string body, string field)
    {
        await using var app = await AppUnderTest.StartAsync();

        var problem = await RefusedAsync(app, "users", Encoding.UTF8.GetBytes(body));

        Assert.Contains(field, problem);
    }

    [Fact]
    public async Task Deep_JSON_is_refused_by_every_function_and_what_is_just_not_too_deep_is_read()
    {
        await using var app = await AppUnderTest.StartAsync();
        foreach (var path in TakingBodies)
        {
            foreach (var open in new[] { "[", "{\"a\":" })
            {
                var deepest = 60_000 / open.Length;
                Assert.Equal(["body"], await RefusedAsync(app, path, Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(open, deepest)))));
            }
        }

        // Sixteen levels are read, and then found to be no field, beside one that is missing; the seventeenth is not read.
        Assert.Equal(["x", "jobIds"], await RefusedAsync(app, "users/u/syncs", Nested(16)));
        Assert.Equal(["body"], await RefusedAsync(app, "users/u/syncs", Nested(17)));

        static byte[] Nested(int levels) =>
            Encoding.ASCII.GetBytes($"{{\"x\":{new string('[', levels - 1)}{new string(']', levels - 1)}}}");
    }

    [Theory]
    [InlineData("FF")]
    [InlineData("C0AF")]
    [InlineData("C328")]
    [InlineData("EDA080")]
    [InlineData("E282")]
    [InlineData("F4908080")]
    public async Task Bytes_that_are_not_UTF8_reach_nobody(string hex)
    {
        await using var app = await AppUnderTest.StartAsync();
        var bad = Convert.FromHexString(hex);

        Assert.Equal(["body"], await RefusedAsync(app, "users", [.. "{\"email\":\"gavin@hooli.com\",\"firstName\":\""u8, .. bad, .. "\"}"u8]));
        Assert.Equal(["body"], await RefusedAsync(app, "users", [.. "{\"email\":\"gavin@hooli.com\",\""u8, .. bad, .. "\":1}"u8]));
        Assert.Equal(["body"], await RefusedAsync(app, "users/u/syncs", [.. "{\"jobIds\":[\""u8, .. bad, .. "\"]}"u8]));
        Assert.Equal(["firstName"], await RefusedAsync(app, "users", "{\"email\":\"gavin@hooli.com\",\"firstName\":\"\\ud800\"}"u8.ToArray()));
        Assert.Equal(["body"], await RefusedAsync(app, "users", Encoding.Unicode.GetBytes("{\"email\":\"gavin@hooli.com\"}")));
        Assert.Equal(0, await app.CountAsync("POST /users"));
    }

    [Theory]
    [InlineData("jose\u0301@hooli.com")]
    [InlineData("\uFF47avin@hooli.com")]
    [InlineData("\u24D6avin@hooli.com")]
    public async Task An_e_mail_address_reaches_Basiq_in_the_spelling_that_was_sent(string email)
    {
        await using var app = await AppUnderTest.StartAsync();

        using var answer = await app.Api.PostAsJsonAsync("users", new { email });

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(email, (await AppUnderTest.ReadAsync(answer)).GetProperty("email").GetString());
    }

    [Theory]
    [InlineData("gavin\uFF20hooli.com")]
    [InlineData("gavin\u200B@hooli.com")]
    [InlineData("gavin\u200D@hooli.com")]
    [InlineData("gavin\u00AD@hooli.com")]
    [InlineData("gavin\U000E0041@hooli.com")]
    [InlineData("gavin@hooli.com\u202E")]
    public async Task An_e_mail_address_with_what_nobody_sees_or_without_an_at_sign_is_refused(string email)
    {
        await using var app = await AppUnderTest.StartAsync();

        Assert.Equal(["email"], await RefusedAsync(app, "users", Encoding.UTF8.GetBytes($"{{\"email\":\"{email}\"}}")));
    }

    /// <summary>The fields that a 400 names.</summary>
    private static async Task<string[]> RefusedAsync(AppUnderTest app, string path, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var answer = await app.Api.PostAsync(new Uri(path, UriKind.Relative), content);
        var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-input");
        return [.. problem.GetProperty("errors").EnumerateObject().Select(e => e.Name)];
    }
}
