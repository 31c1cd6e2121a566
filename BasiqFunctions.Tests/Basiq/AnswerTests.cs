using System.Net;
using System.Text;
using BasiqFunctions.Basiq;

namespace BasiqFunctions.Tests.Basiq;

/// <summary>Whose answer an answer is, and what it may be taken for.</summary>
[Trait("Category", "Unit")]
public sealed class AnswerTests
{
    private const string UserJson = """{"type":"user","id":"u1"}""";

    /// <summary>What a gateway answers in Basiq's place.</summary>
    internal static HttpResponseMessage Page(HttpStatusCode status, string? text = "<html><body>Sorry</body></html>", string type = "text/html") =>
        new(status) { Content = text is null ? null : new StringContent(text, Encoding.UTF8, type) };

    [Theory]
    [InlineData(404, null, "text/html")]
    [InlineData(404, "<html>Not Found</html>", "text/html")]
    [InlineData(404, "", "application/json")]
    [InlineData(404, "{}", "application/json")]
    [InlineData(404, "null", "application/json")]
    [InlineData(404, """{"message":"no Route matched with those values"}""", "application/json")]
    [InlineData(404, """{"statusCode":404,"message":"Resource not found"}""", "application/json")]
    [InlineData(404, """{"code":"resource-not-found"}""", "application/json")]
    [InlineData(404, """{"data":[{"code":"resource-not-found"}]}""", "application/json")]
    [InlineData(404, """{"type":"list","data":[]}""", "application/json")]
    [InlineData(404, """{"type":"list","data":{"type":"error","code":"resource-not-found"}}""", "application/json")]
    [InlineData(404, """{"type":"list","data":[{"type":"error"}]}""", "application/json")]
    [InlineData(404, """{"type":"list","data":[{"code":"resource-not-found"}]}""", "application/json")]
    [InlineData(404, """{"type":"list","correlationId":"c","data":[{"type":"user","code":"resource-not-found"}]}""", "application/json")]
    [InlineData(404, """{"type":"list","data":[{"type":"error","code":"resource-not-f""", "application/json")]
    [InlineData(410, "<html>Gone</html>", "text/html")]
    [InlineData(410, null, "text/html")]
    [InlineData(400, "<html>Bad Request</html>", "text/html")]
    [InlineData(422, "{}", "application/json")]
    public async Task A_refusal_that_is_not_in_Basiqs_words_is_unusable_and_says_nothing_of_the_resource(int status, string? body, string type)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => Page((HttpStatusCode)status, body, type));

        foreach (var call in CallsOfOneResource(test.Client))
        {
            var failure = await test.FailureAsync(call());
            Assert.Equal((BasiqFailureKind.UnusableAnswer, $"http-{status}", true), (failure.Kind, failure.Code, failure.IsTransient));
        }
    }

    [Fact]
    public async Task An_error_without_a_type_is_Basiqs_where_it_has_its_correlation_id()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => Page(HttpStatusCode.NotFound, """{"type":"list","correlationId":"c-1","data":[{"code":"resource-not-found"}]}""", "application/json"));

        Assert.Equal((BasiqFailureKind.NotFound, "resource-not-found"), (await test.FailureAsync(test.Client.GetEventAsync("e1"))) is var failure ? (failure.Kind, failure.Code) : default);
    }

    [Fact]
    public async Task A_single_subscription_need_not_be_in_a_list()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => Page(HttpStatusCode.OK, """{"type":"list","data":{"type":"webhook","id":"w1","url":"https://a.example/"}}""", "application/json"));

        Assert.Equal("w1", Assert.Single(await test.Client.ListWebhooksAsync()).Id);
    }

    [Fact]
    public async Task A_404_of_what_cannot_be_missing_is_no_missing_resource()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found"));

        foreach (var call in new Func<Task>[]
        {
            () => test.Client.CreateUserAsync(new() { Email = "gavin@hooli.com" }), () => test.Client.ListEventsAsync(),
            () => test.Client.ListWebhooksAsync(), () => test.Client.CreateWebhookAsync("https://app.example/hook", ["user.deleted"]),
        })
        {
            Assert.Equal(BasiqFailureKind.UnusableAnswer, (await test.FailureAsync(call())).Kind);
        }
    }

    [Theory]
    [InlineData("access-denied", "Forbidden Access", "Token has expired")]
    [InlineData("forbidden-access", "Token has expired", "")]
    [InlineData("token-expired", "Forbidden", "Forbidden")]
    [InlineData("access-denied", "Forbidden", "The access token expired at 10:24.")]
    public async Task A_403_for_an_expired_token_renews_it_once_as_a_401_does(string code, string title, string detail)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Answer = (request, _, _) => Task.FromResult(
            request.Authorization == "Bearer server-token-1" ? Forbidden(code, title, detail) : StubBasiq.Json(UserJson));

        Assert.Equal("u1", (await test.Client.GetUserAsync(new("u1"))).Id);
        Assert.Equal("u1", (await test.Client.CreateUserAsync(new() { Email = "gavin@hooli.com" })).Id);

        Assert.Equal(2, test.Basiq.Mints.Count);
        Assert.Equal(3, test.Basiq.Calls.Count);
    }

    [Fact]
    public async Task A_token_that_is_called_expired_however_new_it_is_costs_one_renewal()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => Forbidden("access-denied", "Forbidden Access", "Token has expired"));

        var failure = await ClientUnderTest.FailureAtOnceAsync(test.Client.GetUserAsync(new("u1")));
        await ClientUnderTest.FailureAtOnceAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.Unauthorized, "access-denied", 403), (failure.Kind, failure.Code, failure.StatusCode));
        Assert.Equal(2, test.Basiq.Mints.Count);
    }

    [Fact]
    public async Task A_token_that_cannot_be_renewed_is_the_tokens_failure_and_not_the_resources()
    {
        await using var test = new ClientUnderTest();
        await test.Tokens.GetAsync();
        test.Basiq.Script(() => Forbidden("access-denied", "Forbidden Access", "Token has expired"));
        test.Basiq.Mint = (_, _, _) => Task.FromResult(StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found"));

        var failure = await ClientUnderTest.FailureAtOnceAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.Unauthorized, "POST /token"), (failure.Kind, failure.Endpoint));
    }

    [Fact]
    public async Task A_403_that_calls_the_request_invalid_is_overload_and_passes_by_waiting()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => Forbidden("forbidden-access", "Invalid request", "Forbidden"), () => StubBasiq.Json(UserJson));

        Assert.Equal("u1", (await test.RunAsync(test.Client.GetUserAsync(new("u1")))).Id);

        Assert.Equal(2, test.Basiq.Calls.Count);
    }

    [Theory]
    [InlineData("forbidden-access", "Access to this resource is forbidden.")]
    [InlineData("no-production-access", "No production access.")]
    [InlineData("access-denied", "Your consent has expired.")]
    public async Task A_403_in_Basiqs_words_that_does_not_speak_of_the_token_is_forbidden_at_once(string code, string detail)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => Forbidden(code, "Forbidden Access", detail));

        var failure = await ClientUnderTest.FailureAtOnceAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.Forbidden, code, false), (failure.Kind, failure.Code, failure.IsTransient));
        Assert.Single(test.Basiq.Calls);
        Assert.Single(test.Basiq.Mints);
    }

    [Theory]
    [InlineData("<html>403 Forbidden</html>", "text/html")]
    [InlineData("", "application/json")]
    [InlineData("""{"message":"Forbidden"}""", "application/json")]
    [InlineData(null, "text/html")]
    public async Task A_403_of_a_gateway_is_waited_for_as_a_429_is(string? body, string type)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(
            () => Page(HttpStatusCode.Forbidden, body, type), () => Page(HttpStatusCode.Forbidden, body, type), () => StubBasiq.Json(UserJson));

        Assert.Equal("u1", (await test.RunAsync(test.Client.GetUserAsync(new("u1")))).Id);

        Assert.Equal(3, test.Basiq.Calls.Count);
        Assert.Single(test.Basiq.Mints);
    }

    [Fact]
    public async Task A_403_of_a_gateway_that_stays_is_forbidden_after_a_few_times_and_may_pass()
    {
        await using var test = new ClientUnderTest(("Basiq:MaxRetries", "3"));
        test.Basiq.Script(() => Page(HttpStatusCode.Forbidden));

        var failure = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.Forbidden, "http-403", true), (failure.Kind, failure.Code, failure.IsTransient));
        Assert.Equal(4, test.Basiq.Calls.Count);
    }

    [Theory]
    [InlineData(204, null)]
    [InlineData(200, """{"type":"TYPE","id":"ID"}""")]
    [InlineData(200, "\uFEFF" + """{"type":"TYPE","id":"ID"}""")]
    [InlineData(200, """{"id":"ID"}""")]
    [InlineData(202, """{"type":"TYPE"}""")]
    public async Task A_delete_is_done_when_Basiq_says_so(int status, string? body)
    {
        await using var test = new ClientUnderTest();
        (string Type, string Id)[] resources = [("user", "u1"), ("connection", "c1"), ("consent", "s1"), ("webhook", "w1")];

        foreach (var (delete, (type, id)) in Deletes(test.Client).Zip(resources))
        {
            test.Basiq.Script(() => Page(
                (HttpStatusCode)status,
                body?.Replace("TYPE", type, StringComparison.Ordinal).Replace("ID", id, StringComparison.Ordinal),
                "application/json"));
            await delete();
        }
    }

    [Theory]
    [InlineData(200, "<html>Signed in to the guest network</html>", "text/html")]
    [InlineData(200, "<html>Welcome</html>", "application/json")]
    [InlineData(200, UserJson, "text/html")]
    [InlineData(200, "", "application/json")]
    [InlineData(200, null, "text/html")]
    [InlineData(202, "", "application/json")]
    [InlineData(205, null, "text/html")]
    [InlineData(200, "{}", "application/json")]
    [InlineData(200, "[]", "application/json")]
    [InlineData(200, """{"type":"x"}""", "application/json")]
    [InlineData(200, """{"type":"about:blank","title":"Welcome"}""", "application/json")]
    [InlineData(200, """{"id":"another"}""", "application/json")]
    [InlineData(200, """{"type":"user","id":"another"}""", "application/json")]
    [InlineData(202, """{"type":"list","data":[]}""", "application/json")]
    [InlineData(200, "\"deleted\"", "application/json")]
    [InlineData(200, """{"type":"user","id":"u""", "application/json")]
    [InlineData(200, """{"type":"list","correlationId":"c","data":[{"type":"error","code":"internal-server-error"}]}""", "application/json")]
    [InlineData(302, null, "text/html")]
    [InlineData(404, "<html>Not Found</html>", "text/html")]
    [InlineData(404, null, "text/html")]
    public async Task A_delete_that_Basiq_does_not_say_is_done_is_not_done(int status, string? body, string type)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => Page((HttpStatusCode)status, body, type));

        foreach (var delete in Deletes(test.Client))
            Assert.Equal(BasiqFailureKind.UnusableAnswer, (await test.FailureAsync(delete())).Kind);
    }

    [Theory]
    [InlineData("<html>Not Found</html>", "text/html")]
    [InlineData(null, "text/html")]
    [InlineData("{}", "application/json")]
    public async Task A_delete_repeated_after_an_unknown_outcome_is_not_done_by_somebody_elses_404(string? body, string type)
    {
        await using var test = new ClientUnderTest();
        foreach (var delete in Deletes(test.Client))
        {
            var before = test.Basiq.Calls.Count;
            test.Basiq.Answer = (_, calls, _) => Task.FromResult(
                calls == before ? new HttpResponseMessage(HttpStatusCode.BadGateway) : Page(HttpStatusCode.NotFound, body, type));

            var failure = await test.FailureAsync(delete());

            Assert.Equal((BasiqFailureKind.UnusableAnswer, before + 2), (failure.Kind, test.Basiq.Calls.Count));
        }
    }

    [Fact]
    public async Task A_delete_repeated_after_an_unknown_outcome_is_not_done_when_no_token_can_be_had()
    {
        await using var test = new ClientUnderTest();
        await test.Tokens.GetAsync();
        test.Basiq.Mint = (_, _, _) => Task.FromResult(StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found"));
        test.Basiq.Script(() => new(HttpStatusCode.BadGateway), () => new(HttpStatusCode.Unauthorized));

        var failure = await test.FailureAsync(test.Client.DeleteUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.Unauthorized, "POST /token"), (failure.Kind, failure.Endpoint));
    }

    [Fact]
    public async Task A_write_that_a_page_answers_is_not_done()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Answer = (request, _, _) => Task.FromResult(
            request.PathAndQuery == "/token" ? StubBasiq.Json(StubBasiq.TokenJson("client-token")) : Page(HttpStatusCode.OK));

        foreach (var (write, kind) in new (Func<Task>, BasiqFailureKind)[]
        {
            (() => test.Client.UpdateUserAsync(new("u1"), new() { FirstName = "Gavin" }), BasiqFailureKind.UnusableAnswer),
            (() => test.Client.CreateAuthLinkAsync(new("u1"), null), BasiqFailureKind.UnusableAnswer),
            (() => test.Client.RefreshConnectionAsync(new("u1"), new("c1")), BasiqFailureKind.UnusableAnswer),
            (() => test.Client.UpdateWebhookAsync("w1", "https://app.example/hook", []), BasiqFailureKind.UnusableAnswer),
            (() => test.Client.CreateUserAsync(new() { Email = "gavin@hooli.com" }), BasiqFailureKind.OutcomeUnknown),
            (() => test.Client.AnswerMfaAsync(new("u1"), new("j1"), ["123"]), BasiqFailureKind.OutcomeUnknown),
        })
        {
            Assert.Equal(kind, (await test.FailureAsync(write())).Kind);
        }
    }

    [Fact]
    public async Task A_byte_order_mark_is_taken_before_every_answer()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Mint = (_, _, _) => Task.FromResult(Marked(StubBasiq.TokenJson("server-token")));
        test.Basiq.Answer = (request, _, _) => Task.FromResult(Marked(request.PathAndQuery == "/token"
            ? StubBasiq.TokenJson("client-token")
            : """{"type":"list","id":"x1","links":{"public":"https://basiq.test/link"},"expiresAt":"2026-12-30T00:00:00Z","data":[{"id":"x2"}]}"""));

        Assert.Equal("client-token", (await test.Client.CreateClientTokenAsync(new("u1"))).AccessToken);
        Assert.Equal("x1", (await test.Client.GetUserAsync(new("u1"))).Id);
        Assert.Equal("x1", (await test.Client.CreateUserAsync(new() { Email = "gavin@hooli.com" })).Id);
        Assert.Equal("x1", (await test.Client.GetJobAsync(new("x1"))).Id);
        Assert.Equal("x1", (await test.Client.GetConnectionAsync(new("u1"), new("c1"))).Id);
        Assert.Equal("x1", (await test.Client.GetEventAsync("e1")).Id);
        Assert.Equal("x2", Assert.Single(await test.Client.ListJobsAsync(new("u1"))).Id);
        Assert.Equal("x2", Assert.Single(await test.Client.ListConnectionsAsync(new("u1"))).Id);
        Assert.Equal("x2", Assert.Single(await test.Client.ListConsentsAsync(new("u1"))).Id);
        Assert.Equal("x2", Assert.Single(await test.Client.ListAccountsAsync(new("u1"))).GetProperty("id").GetString());
        Assert.Equal("x2", Assert.Single((await test.Client.ListEventsAsync()).Events).Id);
        Assert.Equal("x2", Assert.Single(await test.Client.ListWebhooksAsync()).Id);
        Assert.Equal([new JobId("x2")], await test.Client.RefreshConnectionAsync(new("u1"), new("c1")));
        Assert.Equal("https://basiq.test/link", (await test.Client.CreateAuthLinkAsync(new("u1"), null)).Links.Public);
        using var page = await test.Client.GetTransactionsPageAsync(new("u1"));
        Assert.Equal("""{"id":"x2"}""", Encoding.UTF8.GetString(page.Items.Span[0].Json.Span));
    }

    [Fact]
    public async Task A_byte_order_mark_is_taken_before_an_error()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => Page(
            HttpStatusCode.NotFound, "\uFEFF" + """{"type":"list","correlationId":"c-1","data":[{"type":"error","code":"resource-not-found"}]}""", "application/json"));

        var failure = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.NotFound, "c-1"), (failure.Kind, failure.CorrelationId));
    }

    [Fact]
    public async Task A_byte_order_mark_alone_is_an_empty_answer()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => Marked(""));

        Assert.Equal("empty-answer", (await test.FailureAsync(test.Client.GetUserAsync(new("u1")))).Code);
    }

    [Fact]
    public async Task The_line_of_a_failed_call_has_what_Basiqs_support_asks_for()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Error(HttpStatusCode.NotFound, "resource-not-found", "gavin@hooli.com is not known."));

        await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Contains(
            "[1003] Basiq GET /users/{userId} failed: NotFound (resource-not-found), status 404, correlation id corr-1.",
            test.Logs.Text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("hooli", test.Logs.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound, "Information")]
    [InlineData(HttpStatusCode.Gone, "Information")]
    [InlineData(HttpStatusCode.Forbidden, "Warning")]
    [InlineData(HttpStatusCode.InternalServerError, "Warning")]
    public async Task A_call_for_what_Basiq_does_not_know_is_no_warning(HttpStatusCode status, string level)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Error(status, "a-code", "A detail."));

        await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        var line = Assert.Single(test.Logs.Lines, line => line.Contains("[1003]", StringComparison.Ordinal));
        Assert.StartsWith(level, line, StringComparison.Ordinal);
    }

    private static Func<Task>[] CallsOfOneResource(IBasiqClient client) =>
    [
        () => client.GetUserAsync(new("u1")), () => client.GetJobAsync(new("j1")), () => client.ListConsentsAsync(new("u1")),
        () => client.ListAccountsAsync(new("u1")), () => client.GetTransactionsPageAsync(new("u1")), () => client.GetEventAsync("e1"),
        () => client.UpdateUserAsync(new("u1"), new() { FirstName = "Gavin" }), .. Deletes(client),
    ];

    private static Func<Task>[] Deletes(IBasiqClient client) =>
    [
        () => client.DeleteUserAsync(new("u1")), () => client.DeleteConnectionAsync(new("u1"), new("c1")), () => client.DeleteConsentAsync(new("u1"), "s1"),
        () => client.DeleteWebhookAsync("w1"),
    ];

    private static HttpResponseMessage Marked(string json) => Page(HttpStatusCode.OK, "\uFEFF" + json, "application/json");

    private static HttpResponseMessage Forbidden(string code, string title, string detail) => StubBasiq.Json(
        $$$"""{"type":"list","correlationId":"c","data":[{"type":"error","code":"{{{code}}}","title":"{{{title}}}","detail":"{{{detail}}}"}]}""",
        HttpStatusCode.Forbidden);
}
