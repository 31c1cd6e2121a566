using System.Net;
using System.Text;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Tests.Basiq;

[Trait("Category", "Unit")]
public sealed class FailureTests
{
    [Theory]
    [InlineData(400, "parameter-not-valid", BasiqFailureKind.Invalid, false)]
    [InlineData(401, "unauthorized-access", BasiqFailureKind.Unauthorized, false)]
    [InlineData(403, "forbidden-access", BasiqFailureKind.Forbidden, false)]
    [InlineData(403, "too-many-requests", BasiqFailureKind.Overloaded, true)]
    [InlineData(404, "resource-not-found", BasiqFailureKind.NotFound, false)]
    [InlineData(409, "resource-already-exists", BasiqFailureKind.Other, false)]
    [InlineData(410, "resource-no-longer-available", BasiqFailureKind.Gone, false)]
    [InlineData(429, "too-many-requests", BasiqFailureKind.Overloaded, true)]
    [InlineData(500, "internal-server-error", BasiqFailureKind.Unavailable, true)]
    [InlineData(503, "service-unavailable", BasiqFailureKind.Unavailable, true)]
    [InlineData(504, "gateway-timeout", BasiqFailureKind.Timeout, true)]
    public async Task An_error_answer_becomes_a_typed_failure(int status, string code, BasiqFailureKind kind, bool isTransient)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Error((HttpStatusCode)status, code));

        var failure = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal(kind, failure.Kind);
        Assert.Equal(code, failure.Code);
        Assert.Equal(status, failure.StatusCode);
        Assert.Equal("corr-1", failure.CorrelationId);
        Assert.Equal("GET /users/{userId}", failure.Endpoint);
        Assert.Equal(isTransient, failure.IsTransient);
        Assert.Equal(new BasiqErrorSource(code, "email", "/email", "What went wrong."), Assert.Single(failure.Sources));
    }

    [Fact]
    public async Task An_error_answer_with_bytes_that_are_no_text_is_a_typed_failure_still()
    {
        await using var test = new ClientUnderTest();
        byte[] body = [.. """{"type":"list","data":[{"type":"error","code":"resource-not-found","detail":"a"""u8, 0xAF, .. """b"}]}"""u8];
        test.Basiq.Script(() => new HttpResponseMessage(HttpStatusCode.NotFound)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } },
        });

        var failure = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.NotFound, "resource-not-found"), (failure.Kind, failure.Code));
        Assert.Equal("a\uFFFDb", Assert.Single(failure.Sources).Detail);
    }

    [Theory]
    [InlineData("", "empty-answer")]
    [InlineData("{\"id\":\"u1\",\"em", "malformed-answer")]
    [InlineData("<html>Sorry</html>", "malformed-answer")]
    [InlineData("null", "unexpected-shape")]
    [InlineData("[]", "unexpected-shape")]
    [InlineData("\"text\"", "unexpected-shape")]
    [InlineData("{\"type\":\"user\"}", "unexpected-shape")]
    [InlineData("{\"id\":null}", "unexpected-shape")]
    public async Task An_answer_that_makes_no_sense_is_unusable(string body, string code)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json(body));

        var failure = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.UnusableAnswer, code), (failure.Kind, failure.Code));
    }

    [Theory]
    [InlineData("{\"type\":\"list\"}")]
    [InlineData("{\"data\":null}")]
    [InlineData("{\"data\":{}}")]
    [InlineData("{\"data\":[null]}")]
    [InlineData("{\"data\":[{}]}")]
    [InlineData("{\"data\":[{\"id\":\"\"}]}")]
    [InlineData("{\"data\":[]} x")]
    [InlineData("{\"data\":[")]
    [InlineData("null")]
    public async Task A_page_of_transactions_that_makes_no_sense_is_unusable(string body)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json(body));

        var failure = await test.FailureAsync(test.Client.GetTransactionsPageAsync(new("u1")));

        Assert.Equal(BasiqFailureKind.UnusableAnswer, failure.Kind);
    }

    [Theory]
    [InlineData("{\"type\":\"list\"}")]
    [InlineData("{\"type\":\"list\",\"data\":null}")]
    [InlineData("{\"type\":\"list\",\"data\":{}}")]
    public async Task A_list_that_does_not_say_what_there_is_does_not_say_that_there_is_nothing(string body)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json(body));

        foreach (var list in new Func<Task>[]
        {
            () => test.Client.ListAccountsAsync(new("u1")), () => test.Client.ListConnectionsAsync(new("u1")), () => test.Client.ListConsentsAsync(new("u1")),
            () => test.Client.ListJobsAsync(new("u1")), () => test.Client.ListEventsAsync(), () => test.Client.ListWebhooksAsync(),
            () => test.Client.ListWebhookMessagesAsync("w1", 20), () => test.Client.GetTransactionsPageAsync(new("u1")),
            () => test.Client.RefreshConnectionAsync(new("u1"), new("c1")),
        })
        {
            Assert.Equal(BasiqFailureKind.UnusableAnswer, (await test.FailureAsync(list())).Kind);
        }
    }

    [Fact]
    public async Task A_list_that_is_taken_whole_or_not_at_all_has_no_odd_records()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json("{\"data\":[null]}"));

        // Of accounts and jobs each record is looked at by itself.
        foreach (var list in new Func<Task>[]
        {
            () => test.Client.ListConnectionsAsync(new("u1")), () => test.Client.ListConsentsAsync(new("u1")), () => test.Client.ListEventsAsync(),
            () => test.Client.ListWebhooksAsync(), () => test.Client.ListWebhookMessagesAsync("w1", 20),
            () => test.Client.GetTransactionsPageAsync(new("u1")), () => test.Client.RefreshConnectionAsync(new("u1"), new("c1")),
        })
        {
            Assert.Equal(BasiqFailureKind.UnusableAnswer, (await test.FailureAsync(list())).Kind);
        }
    }

    [Fact]
    public async Task Of_a_list_of_jobs_each_is_read_as_far_as_it_can_be_and_what_is_no_job_is_skipped()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json(
            """
            {"data":[null,7,[],{"id":""},{"steps":[]},{"id":"no-steps"},{"id":"odd-steps","steps":{"status":"success"},"links":"none"},
            {"id":"odd-step","steps":[{"status":"success","result":[]},null]},{"id":"failed","steps":[{"title":7,"status":"failed","result":null,"later":{}}]},
            {"id":"sound","institution":{"id":"AU00000"},"steps":[{"title":"t","status":"success","result":null}],"links":{"source":"/users/u1/connections/c1"}}]}
            """));

        var jobs = await test.Client.ListJobsAsync(new("u1"));

        Assert.Equal(
            [
                ("no-steps", JobOutcome.Pending), ("odd-steps", JobOutcome.Pending), ("odd-step", JobOutcome.InProgress),
                ("failed", JobOutcome.Failed), ("sound", JobOutcome.Succeeded),
            ],
            jobs.Select(job => (job.Id.Value, job.Outcome)));
        Assert.Equal(JobStep.UnknownStatus, jobs[2].Steps[1].Status);
        Assert.Equal("c1", jobs[4].ConnectionId);
    }

    [Theory]
    [InlineData("""{"status":"success"},{}""")]
    [InlineData("""{"status":"success"},{"status":null}""")]
    [InlineData("""{"status":"success"},{"status":["success"]}""")]
    [InlineData("""{"status":"success"},{"status":"SUCCESS"}""")]
    [InlineData("""{"status":"success"},"success" """)]
    [InlineData("""{"status":"success"},null""")]
    public async Task A_job_with_a_step_that_cannot_be_read_has_not_succeeded(string steps)
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json($$"""{"id":"j1","status":"success","steps":[{{steps}}]}"""));

        Assert.Equal(JobOutcome.InProgress, (await test.Client.GetJobAsync(new("j1"))).Outcome);
    }

    [Fact]
    public async Task Another_job_than_the_one_that_was_asked_for_is_unusable()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Json("""{"id":"j2","steps":[{"status":"success"}]}"""));

        Assert.Equal(BasiqFailureKind.UnusableAnswer, (await test.FailureAsync(test.Client.GetJobAsync(new("j1")))).Kind);
    }

    [Fact]
    public async Task An_html_page_is_unusable_even_with_status_200()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => new(HttpStatusCode.OK) { Content = new StringContent("{}", Encoding.UTF8, "text/html") });

        var failure = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.UnusableAnswer, "not-json"), (failure.Kind, failure.Code));
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_asked_for_again_and_then_unusable()
    {
        await using var test = new ClientUnderTest(("Basiq:MaxRetries", "2"));
        test.Basiq.Script(() => new(HttpStatusCode.OK) { Content = new StreamContent(new BrokenStream()) });

        var failure = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.UnusableAnswer, "truncated-answer"), (failure.Kind, failure.Code));
        Assert.True(failure.IsTransient);
        Assert.Equal(3, test.Basiq.Calls.Count);
    }

    [Fact]
    public async Task An_answer_beyond_the_limit_is_unusable_and_not_asked_for_again()
    {
        await using var test = new ClientUnderTest(("Basiq:MaxAnswerBytes", "65536"));
        test.Basiq.Script(() => StubBasiq.Json($"{{\"id\":\"{new string('x', 70_000)}\"}}"));

        var failure = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.UnusableAnswer, "answer-too-large"), (failure.Kind, failure.Code));
        Assert.Single(test.Basiq.Calls);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() =>
        {
            var redirect = new HttpResponseMessage(HttpStatusCode.Found);
            redirect.Headers.Location = new("https://elsewhere.test/");
            return redirect;
        });

        var failure = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.UnusableAnswer, "http-302"), (failure.Kind, failure.Code));
        Assert.Single(test.Basiq.Calls);
    }

    [Fact]
    public async Task A_connection_that_cannot_be_made_is_unavailable()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Answer = (_, _, _) => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused");

        var failure = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.Unavailable, "connection-failed"), (failure.Kind, failure.Code));
        Assert.True(failure.IsTransient);
        Assert.Equal(5, test.Basiq.Calls.Count);
    }

    [Fact]
    public async Task No_answer_in_time_is_a_timeout()
    {
        await using var test = new ClientUnderTest(("Basiq:MaxRetries", "1"));
        test.Basiq.Answer = Never;

        var failure = await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        Assert.Equal((BasiqFailureKind.Timeout, true), (failure.Kind, failure.IsTransient));
        Assert.Equal(2, test.Basiq.Calls.Count);
        Assert.Contains(test.Logs.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));
        Assert.DoesNotContain(
            test.Logs.Lines,
            line => line.Contains("Polly", StringComparison.Ordinal) && !line.StartsWith("Debug", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_that_nobody_can_end_ends_with_the_host()
    {
        await using var test = new ClientUnderTest();
        await test.Tokens.GetAsync();
        test.Basiq.Answer = Never;
        var read = test.Client.GetUserAsync(new("u1"));
        var creation = test.Client.CreateUserAsync(new() { Email = "gavin@hooli.com" });

        test.Host.StopApplication();
        Assert.False(read.IsCompleted || creation.IsCompleted);
        test.Host.NotifyStopped();

        Assert.Equal(BasiqFailureKind.Timeout, (await ClientUnderTest.FailureAtOnceAsync(read)).Kind);
        Assert.Equal(BasiqFailureKind.OutcomeUnknown, (await ClientUnderTest.FailureAtOnceAsync(creation)).Kind);
    }

    [Fact]
    public async Task The_callers_own_cancellation_is_not_a_failure_of_Basiq()
    {
        await using var test = new ClientUnderTest();
        using var cancellation = new CancellationTokenSource();
        test.Basiq.Answer = async (_, _, token) =>
        {
            await cancellation.CancelAsync();
            token.ThrowIfCancellationRequested();
            throw new InvalidOperationException("The cancellation did not arrive.");
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => test.Client.GetUserAsync(new("u1"), cancellation.Token));
    }

    [Fact]
    public async Task Many_failures_open_the_circuit_and_spare_Basiq()
    {
        await using var test = new ClientUnderTest(("Basiq:MaxRetries", "0"));
        test.Basiq.Script(() => StubBasiq.Error(HttpStatusCode.InternalServerError, "internal-server-error"));
        for (var i = 0; i < 20; i++)
            await test.FailureAsync(test.Client.GetUserAsync(new("u1")));

        var before = test.Basiq.Calls.Count;
        var open = await Assert.ThrowsAsync<BasiqException>(() => test.Client.GetUserAsync(new("u1")));
        Assert.Equal((BasiqFailureKind.Unavailable, "circuit-open"), (open.Failure.Kind, open.Failure.Code));
        Assert.Equal(TimeSpan.FromSeconds(5), open.Failure.RetryAfter);
        Assert.Equal(before, test.Basiq.Calls.Count);

        test.Clock.Advance(TimeSpan.FromSeconds(5));
        test.Basiq.Script(() => StubBasiq.Json("{\"id\":\"u1\"}"));
        Assert.Equal("u1", (await test.Client.GetUserAsync(new("u1"))).Id);
    }

    [Fact]
    public async Task Personal_data_in_Basiqs_words_is_masked_in_the_failure_and_absent_from_the_message()
    {
        await using var test = new ClientUnderTest();
        test.Basiq.Script(() => StubBasiq.Error(
            HttpStatusCode.BadRequest, "parameter-not-valid", "gavin@hooli.com with +61 410 888 999 or account 062-000 12345678 of 2024"));

        var call = test.Client.UpdateUserAsync(new("u1"), new() { Email = "gavin@hooli.com" });
        var exception = await Assert.ThrowsAsync<BasiqException>(() => call);

        Assert.Equal("***@*** with ***** or account ***** of 2024", exception.Failure.Detail);
        Assert.DoesNotContain("account", exception.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            "A call to Basiq failed: Invalid (parameter-not-valid), status 400, POST /users/{userId}, correlation id corr-1.",
            exception.Message);
    }

    private static async Task<HttpResponseMessage> Never(StubBasiq.Received request, int before, CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        throw new InvalidOperationException("Unreachable.");
    }

    private sealed class BrokenStream : MemoryStream
    {
        private bool _begun;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_begun)
                throw new HttpIOException(HttpRequestError.ResponseEnded);
            _begun = true;
            "{\"id\":"u8.CopyTo(buffer.Span);
            return new(6);
        }
    }
}
