using BasiqFunctions.Basiq;
using BasiqFunctions.Consents;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Users;
using Moq;

namespace BasiqFunctions.Tests.Consents;

[Trait("Category", "Unit")]
public sealed class ConsentReturnTests : IDisposable
{
    /// <summary>As Chromium asks for a page.</summary>
    private const string Browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task A_return_without_return_URL_starts_the_sync_and_says_where_to_ask()
    {
        _scene.KnowsJobs(new("user-1"), "a", "b");
        var syncId = SyncIds.For(new("user-1"), [new("a"), new("b")]);

        var answer = await Return(await State(), "&jobIds=a,b");

        Assert.Equal(202, answer.Status);
        Assert.Equal($"/api/users/user-1/syncs/{syncId}", answer.Headers.Location);
        Assert.Equal("2", answer.Headers.RetryAfter);
        Assert.Equal("no-referrer", answer.Headers["Referrer-Policy"]);
        Assert.Equal(
            $$"""{"syncId":"{{syncId}}","status":"waiting-for-bank","statusUrl":"/api/users/user-1/syncs/{{syncId}}"}""", answer.Body);
        Assert.Equal([syncId], _scene.Durable.Scheduled);
    }

    [Theory]
    [InlineData("https://app.example/banks", "https://app.example/banks?syncId=")]
    [InlineData("https://app.example/banks?tab=2&q=%26", "https://app.example/banks?tab=2&q=%26&syncId=")]
    public async Task A_return_with_return_URL_goes_on_there_with_the_sync(string returnUrl, string expected)
    {
        _scene.KnowsJobs(new("user-1"), "a");

        var answer = await Return(await State(returnUrl), "&jobIds=a");

        Assert.Equal(303, answer.Status);
        Assert.Equal(expected + SyncIds.For(new("user-1"), [new("a")]), answer.Headers.Location);
        Assert.Equal("no-referrer", answer.Headers["Referrer-Policy"]);
        Assert.Equal("no-store", answer.Headers.CacheControl);
        Assert.Equal("", answer.Body);
    }

    [Fact]
    public async Task A_reload_of_the_browser_gets_the_same_answer_and_starts_nothing()
    {
        _scene.KnowsJobs(new("user-1"), "a", "b");
        var state = await State("https://app.example/banks");

        var first = await Return(state, "&jobIds=a,b");
        var second = await Return(state, "&jobIds=b,a,b&jobId=a");

        Assert.Equal((first.Status, first.Headers.Location), (second.Status, second.Headers.Location));
        Assert.Single(_scene.Durable.Scheduled);
    }

    [Theory]
    [InlineData("&jobId=a", "a")]
    [InlineData("&jobIds=a&jobIds=b", "a b")]
    [InlineData("&jobIds=%20a%20,,b,", "a b")]
    [InlineData("&jobIds=a&jobId=b&unknown=1", "a b")]
    public async Task Jobs_are_taken_however_the_consent_page_spells_them(string query, string jobs)
    {
        var ids = jobs.Split(' ');
        _scene.KnowsJobs(new("user-1"), ids);

        Assert.Equal(202, (await Return(await State(), query)).Status);
        Assert.Equal([SyncIds.For(new("user-1"), ids.Select(id => new JobId(id)))], _scene.Durable.Scheduled);
    }

    [Theory]
    [InlineData("")]
    [InlineData("&jobIds=")]
    [InlineData("&jobIds")]
    [InlineData("&jobId=&jobIds=")]
    [InlineData("&jobIds=,%20,&jobIds=")]
    public async Task A_person_who_connected_no_bank_goes_back_and_is_said_to_have(string query)
    {
        var answer = await Return(await State("https://app.example/banks?tab=2"), query);

        Assert.Equal((303, "https://app.example/banks?tab=2&error=no-bank-connected"), (answer.Status, answer.Headers.Location.ToString()));
        Assert.Empty(_scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_person_who_managed_or_extended_a_consent_made_no_mistake()
    {
        var answer = await Return(await State("https://app.example/banks?tab=2", connectsNoBank: true), "");
        Assert.Equal((303, "https://app.example/banks?tab=2"), (answer.Status, answer.Headers.Location.ToString()));

        var state = await State(connectsNoBank: true);
        Assert.Equal((200, "{}"), ((answer = await Return(state, "")).Status, answer.Body));
        var page = await Return(state, "", Browser);
        Assert.Equal(200, page.Status);
        Assert.Contains("<h1>Done</h1>", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("mention", page.Body, StringComparison.Ordinal);

        // Whoever extends may connect a bank as well.
        _scene.KnowsJobs(new("user-1"), "a");
        Assert.Equal(202, (await Return(state, "&jobIds=a")).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("&jobIds=")]
    [InlineData("&jobIds")]
    [InlineData("&jobIds=,")]
    [InlineData("&jobIds=,,")]
    [InlineData("&jobId=")]
    [InlineData("&error=access_denied")]
    public async Task A_person_who_connected_no_bank_and_has_no_place_to_go_back_to_is_told_so(string query)
    {
        var state = await State();

        foreach (var accept in new[] { null, "*/*", "application/json" })
        {
            var answer = await Return(state, query, accept);
            Assert.Equal(
                (200, "application/json; charset=utf-8", """{"error":"no-bank-connected"}"""), (answer.Status, answer.ContentType, answer.Body));
        }

        var page = await Return(state, query, Browser);
        Assert.Equal((200, "text/html; charset=utf-8"), (page.Status, page.ContentType));
        Assert.Contains("<h1>No bank was connected</h1>", page.Body, StringComparison.Ordinal);
        Assert.Contains("start again there", page.Body, StringComparison.Ordinal);
        Assert.Contains($"""<a href="{UsersScene.AllowedUrl}">Go to app.example</a>""", page.Body, StringComparison.Ordinal);
        Assert.Contains("mention: no-bank-connected", page.Body, StringComparison.Ordinal);
        Assert.Equal(("no-store", "no-referrer"), (page.Headers.CacheControl.ToString(), page.Headers["Referrer-Policy"].ToString()));
        Assert.Empty(_scene.Durable.Scheduled);
    }

    [Theory]
    [InlineData("&jobIds=a/b")]
    [InlineData("&jobIds=a,%F0%9F%98%80")]
    [InlineData("&jobIds=../users")]
    public async Task Malformed_jobs_are_refused(string query) =>
        (await Return(await State(), query)).Names("jobIds");

    [Fact]
    public async Task Fifty_jobs_are_taken_and_one_more_is_not()
    {
        string[] ids = [.. Enumerable.Range(0, 51).Select(i => $"job-{i}")];
        _scene.KnowsJobs(new("user-1"), ids);

        Assert.Equal(202, (await Return(await State(), "&jobIds=" + string.Join(',', ids[..50]))).Status);
        (await Return(await State(), "&jobIds=" + string.Join(',', ids))).Names("jobIds");
    }

    [Fact]
    public async Task A_forged_state_starts_nothing()
    {
        var state = await State();

        (await Return(state[..^1] + (state[^1] == 'A' ? 'B' : 'A'), "&jobIds=a")).IsProblem(400, "invalid-state");
        (await _scene.CallAsync<ConsentFunctions>((f, r) => f.ConsentReturn(r, _scene.Durable.Client, default), query: "?jobIds=a"))
            .IsProblem(400, "invalid-state");
        (await Return(state, $"&state={state}&jobIds=a")).IsProblem(400, "invalid-state");
        Assert.Empty(_scene.Durable.Scheduled);
    }

    [Fact]
    public async Task An_expired_state_starts_nothing()
    {
        var state = await State();
        _scene.Clock.Advance(TimeSpan.FromHours(1));

        (await Return(state, "&jobIds=a")).IsProblem(400, "invalid-state");
        Assert.Empty(_scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_state_borrowed_from_another_user_starts_nothing()
    {
        _scene.KnowsJobs(new("user-1"), "job-of-user-1");

        (await Return(await State(), "&jobIds=job-of-user-1,job-of-user-2")).IsProblem(400, "invalid-state");
        Assert.Empty(_scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_return_URL_that_was_taken_off_the_allow_list_meanwhile_is_refused()
    {
        _scene.KnowsJobs(new("user-1"), "a");

        (await Return(await State("https://gone.example/"), "&jobIds=a")).IsProblem(400, "invalid-state");
        Assert.Empty(_scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_Basiq_that_is_away_is_told_and_the_same_link_works_later()
    {
        var state = await State();
        _scene.Basiq.Setup(b => b.ListJobsAsync(new("user-1"), It.IsAny<CancellationToken>()))
            .ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Unavailable, 500, "GET /users/{userId}/jobs"));
        (await Return(state, "&jobIds=a")).IsProblem(503, "basiq-unavailable");

        _scene.KnowsJobs(new("user-1"), "a");
        Assert.Equal(202, (await Return(state, "&jobIds=a")).Status);
    }

    public static TheoryData<string, int, string, string> Errors => new()
    {
        { "forged", 400, "invalid-state", "This link no longer works" },
        { "expired", 400, "invalid-state", "This link no longer works" },
        { "borrowed", 400, "invalid-state", "This link no longer works" },
        { "malformed", 400, "invalid-input", "No bank was connected" },
        { "unknown-user", 404, "user-not-found", "We could not find your connection" },
        { "overloaded", 429, "basiq-overloaded", "We are busy right now" },
        { "away", 503, "basiq-unavailable", "We cannot finish this right now" },
        { "slow", 504, "basiq-timeout", "We cannot finish this right now" },
        { "refused", 502, "basiq-refused", "Something went wrong on our side" },
        { "broken", 500, "internal-error", "Something went wrong on our side" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task A_person_gets_every_error_as_a_page_with_a_way_back_and_a_program_the_problem(
        string error, int status, string code, string title)
    {
        var state = await State("https://app.example/banks?a=1&b='2'");
        var query = "&jobIds=a";
        switch (error)
        {
            case "forged":
                state = "x" + state;
                break;
            case "expired":
                _scene.Clock.Advance(TimeSpan.FromHours(1));
                break;
            case "borrowed":
                _scene.KnowsJobs(new("user-1"), "b");
                break;
            case "malformed":
                query = "&jobIds=%3Cscript%3E";
                break;
            default:
                _scene.Basiq.Setup(b => b.ListJobsAsync(new("user-1"), It.IsAny<CancellationToken>())).ThrowsAsync(error switch
                {
                    "unknown-user" => UsersScene.Failure(BasiqFailureKind.NotFound, 404, "GET /users/{userId}/jobs"),
                    "overloaded" => UsersScene.Failure(BasiqFailureKind.Overloaded, 429, retryAfter: TimeSpan.FromSeconds(7)),
                    "away" => UsersScene.Failure(BasiqFailureKind.Unavailable, 503),
                    "slow" => UsersScene.Failure(BasiqFailureKind.Timeout),
                    "refused" => UsersScene.Failure(BasiqFailureKind.Forbidden, 403),
                    _ => new InvalidOperationException("of gavin@hooli.com"),
                });
                break;
        }

        var page = await Return(state, query, Browser);

        Assert.Equal((status, "text/html; charset=utf-8"), (page.Status, page.ContentType));
        Assert.Contains($"<h1>{title}</h1>", page.Body, StringComparison.Ordinal);
        Assert.Contains($"mention: {code}", page.Body, StringComparison.Ordinal);
        if (error is "forged")
            Assert.Contains($"""<a href="{UsersScene.AllowedUrl}">Go to app.example</a>""", page.Body, StringComparison.Ordinal);
        else
            Assert.Contains("""<a href="https://app.example/banks?a=1&amp;b=&#x27;2&#x27;">Go back to app.example</a>""", page.Body, StringComparison.Ordinal);
        Assert.Equal(status is 429 or 500 or >= 502, page.Body.Contains("""<a href="">Try again</a>""", StringComparison.Ordinal));
        Assert.Equal(error is "overloaded" ? "7" : status is 503 ? "10" : "", page.Headers.RetryAfter.ToString());
        Assert.DoesNotContain("gavin", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(state, page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("script", page.Body, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(("no-store", "no-referrer"), (page.Headers.CacheControl.ToString(), page.Headers["Referrer-Policy"].ToString()));
        var style = page.Body.Split("<style>")[1].Split("</style>")[0];
        var digest = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(style)));
        Assert.Equal(
            $"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            page.Headers.ContentSecurityPolicy.ToString());

        foreach (var accept in new[] { "application/json", "*/*", null, "application/problem+json", "text/html;q=0", "application/json, text/html;q=0.5", "text/*;" })
            (await Return(state, query, accept)).IsProblem(status, code);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("TEXT/HTML;charset=utf-8")]
    [InlineData("application/xml, text/html;q=0.1")]
    [InlineData("text/html, application/json")]
    public async Task Whoever_takes_a_page_gets_one(string accept) =>
        Assert.StartsWith("<!DOCTYPE html>", (await Return(await State(), "", accept)).Body, StringComparison.Ordinal);

    [Fact]
    public async Task A_return_URL_that_is_not_allowed_any_more_is_no_way_back()
    {
        var page = await Return(await State("https://gone.example/"), "&jobIds=a", Browser);
        Assert.Contains("start again there", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("gone.example", page.Body, StringComparison.Ordinal);
        Assert.Equal([$"\"{UsersScene.AllowedUrl}\""], page.Body.Split("href=")[1..].Select(rest => rest.Split('>')[0]));
    }

    [Fact]
    public async Task The_state_is_never_logged()
    {
        _scene.KnowsJobs(new("user-1"), "a");
        var state = await State("https://app.example/banks");

        await Return(state, "&jobIds=a");
        await Return(state, "&jobIds=b");
        await Return(state + "x", "&jobIds=a");

        foreach (var part in state.Split('.'))
            Assert.DoesNotContain(part, _scene.Logs.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("app.example", _scene.Logs.Text, StringComparison.Ordinal);
    }

    private Task<string> State(string? returnUrl = null, bool connectsNoBank = false) =>
        _scene.Get<ConsentStates>().IssueAsync(new("user-1"), returnUrl is null ? null : new Uri(returnUrl), default, connectsNoBank);

    private Task<Answer> Return(string state, string rest, string? accept = null) => _scene.CallAsync<ConsentFunctions>(
        (f, r) => f.ConsentReturn(r, _scene.Durable.Client, default),
        query: $"?state={Uri.EscapeDataString(state)}{rest}",
        headers: accept is null ? [] : [("Accept", accept)]);
}
