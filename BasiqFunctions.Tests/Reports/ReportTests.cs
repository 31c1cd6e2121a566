using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Removal;
using BasiqFunctions.Reports;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Notifications;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using UglyToad.PdfPig;

namespace BasiqFunctions.Tests.Reports;

/// <summary>Reports as callers ask for them and read them.</summary>
[Trait("Category", "Journeys")]
public sealed class ReportTests
{
    private static readonly string[] Quick = ["Reports:FirstPollDelay=00:00:00.05", "Reports:JobTimeout=00:00:05"];

    [Fact]
    public async Task A_report_is_made_fetched_and_read_as_JSON_as_PDF_and_in_short()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await AppUnderTest.StartAsync(Quick);
        using (var set = await app.Api.PutAsJsonAsync("notifications/subscription", new { url = receiver.Url, events = (string[])["report.ready", "report.failed"] }))
            Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        var userId = await ConnectedAsync(app, "richard");

        var url = await AskAsync(app, userId, new { type = "affordability", title = "Home loan" });
        using var json = await ReadyAsync(app, url);

        var basiq = app.Services.GetRequiredService<IBasiqClient>();
        var listed = Assert.Single(await basiq.ListReportsAsync());
        Assert.StartsWith("Home loan [", listed.Title, StringComparison.Ordinal);
        Assert.Equal(await basiq.GetReportAsync(listed.Id), await json.Content.ReadAsByteArrayAsync());
        Assert.Equal("no-store", json.Headers.CacheControl?.ToString());

        using var pdf = await GetPdfAsync(app, url);
        Assert.Equal($"report-{url.Split('/')[^1]}.pdf", pdf.Content.Headers.ContentDisposition?.FileName);
        using (var document = PdfDocument.Open(await pdf.Content.ReadAsByteArrayAsync()))
            Assert.Contains("Home loan", document.GetPage(1).Text, StringComparison.Ordinal);

        var summary = await app.Api.GetFromJsonAsync<JsonElement>($"{url}/summary");
        Assert.Equal("money", summary.GetProperty("metrics").GetProperty("ME002").GetProperty("unit").GetString());
        Assert.Contains(summary.GetProperty("groups").EnumerateArray(), group => group.GetProperty("id").GetString() is "INC-009");
        Assert.Empty(summary.GetProperty("riskFlags").EnumerateArray());
        var transactions = await app.Api.GetFromJsonAsync<JsonElement>($"{url}/transactions");
        Assert.Equal(
            await basiq.ListReportTransactionsAsync(listed.Id).Select(t => t.GetRawText()).ToArrayAsync(), transactions.GetProperty("transactions").EnumerateArray().Select(t => t.GetRawText()));

        var report = Assert.Single((await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/reports")).GetProperty("reports").EnumerateArray());
        Assert.Equal(("affordability", "ready"), (report.GetProperty("type").GetString(), report.GetProperty("status").GetString()));
        var told = Assert.Single(await AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken), taken => taken.Length > 0));
        Assert.Equal(("report.ready", url.Split('/')[^1]), (told.Type, told.Data.GetProperty("reportId").GetString()));
    }

    [Fact]
    public async Task A_statement_is_of_one_account()
    {
        await using var app = await AppUnderTest.StartAsync(Quick);
        var userId = await ConnectedAsync(app, "Gilfoyle");
        var accounts = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts");
        var accountId = accounts.GetProperty("accounts")[0].GetProperty("id").GetString();

        using var json = await ReadyAsync(app, await AskAsync(app, userId, new { type = "statement", accountIds = (string[])[accountId!], from = "2026-01-01" }));

        var report = await AppUnderTest.ReadAsync(json);
        Assert.Equal("STATEMENT_01", report.GetProperty("reportType").GetString());
        Assert.Equal(accountId, Assert.Single(report.GetProperty("data").GetProperty("account").EnumerateArray()).GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("{}", "type")]
    [InlineData("""{"type":"no such"}""", "type")]
    [InlineData("""{"type":"statement","accountIds":["a"]}""", "from")]
    [InlineData("""{"type":"statement","accountIds":["a","b"],"from":"2026-01-01"}""", "accountIds")]
    [InlineData("""{"type":"statement","accountIds":["a"],"from":"2026-01-01","users":["b"]}""", "users")]
    [InlineData("""{"type":"affordability","users":["a","b","c","d","e"]}""", "users")]
    [InlineData("""{"type":"affordability","users":["a","b","a"]}""", "users")]
    [InlineData("""{"type":"affordability","users":["u"]}""", "users")]
    [InlineData("""{"type":"affordability","from":"2026-02-01","to":"2026-01-01"}""", "to")]
    [InlineData("""{"type":"affordability","from":"01/02/2026"}""", "from")]
    [InlineData("""{"type":"affordability","from":"2999-02-01"}""", "from")]
    [InlineData("""{"type":"affordability","to":"0001-06-01"}""", "to")]
    [InlineData("""{"type":"affordability","title":"a title of more than thirty-six characters"}""", "title")]
    public async Task What_no_report_can_be_made_of_is_refused_by_name(string body, string field)
    {
        await using var app = await AppUnderTest.StartAsync();

        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await app.Api.PostAsync(new Uri("users/u/reports", UriKind.Relative), content);

        var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-input");
        Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _), problem.ToString());
    }

    [Fact]
    public async Task A_user_who_comes_twice_is_named()
    {
        await using var app = await AppUnderTest.StartAsync();

        using var answer = await app.Api.PostAsJsonAsync("users/u/reports", new { type = "affordability", users = (string[])["anna", "bert", "anna"] });

        Assert.Contains("anna", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_creation_whose_answer_was_lost_is_found_again_and_never_made_twice()
    {
        await using var app = await AppUnderTest.StartAsync([.. Quick, "Sandbox:ShareOfLostReportAnswers=1", "Reports:JobTimeout=00:05:00"]);
        var userId = await ConnectedAsync(app, "jared");

        using var json = await ReadyAsync(app, await AskAsync(app, userId, new { type = "affordability" }));

        Assert.Equal(1, await app.CountAsync("POST /reports"));
        Assert.Equal(Assert.Single(await app.Services.GetRequiredService<IBasiqClient>().ListReportsAsync()).Id, (await AppUnderTest.ReadAsync(json)).GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_creation_that_never_arrived_is_sent_again_once_Basiq_would_list_it()
    {
        await using var app = await AppUnderTest.StartAsync([.. Quick, "Basiq:MaxRetries=0", "Reports:JobTimeout=00:00:01"]);
        var userId = await ConnectedAsync(app, "jared");
        await SetAsync(app, new { shareOf500 = 1.0, faultsUnder = "/reports" });

        var url = await AskAsync(app, userId, new { type = "affordability" });
        await AppUnderTest.WaitForAsync(() => app.CountAsync("GET /reports"), count => count > 1);
        await SetAsync(app, new { shareOf500 = 0.0 });
        using var json = await ReadyAsync(app, url);

        Assert.Single(await app.Services.GetRequiredService<IBasiqClient>().ListReportsAsync());
    }

    [Fact]
    public async Task A_report_that_Basiq_cannot_make_has_failed_and_the_team_is_told()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var app = await AppUnderTest.StartAsync([.. Quick, "Sandbox:ShareOfFailedReports=1"]);
        using (var set = await app.Api.PutAsJsonAsync("notifications/subscription", new { url = receiver.Url, events = (string[])["report.failed"] }))
            Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        var userId = await ConnectedAsync(app, "jared");

        var url = await AskAsync(app, userId, new { type = "affordability" });
        using var failed = await AppUnderTest.WaitForAsync(() => app.Api.GetAsync(new Uri(url, UriKind.Relative)), answer => answer.StatusCode is not HttpStatusCode.Accepted);

        await AppUnderTest.AssertProblemAsync(failed, HttpStatusCode.Conflict, "report-failed");
        var told = Assert.Single(await AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken), taken => taken.Length > 0));
        Assert.Equal(("report.failed", "internal-server-error"), (told.Type, told.Data.GetProperty("reason").GetString()));
        Assert.DoesNotContain(app.State.Files, file => file.Contains(".reports/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_same_key_asks_for_one_report_and_another_for_another()
    {
        await using var app = await AppUnderTest.StartAsync(Quick);
        var userId = await ConnectedAsync(app, "jared");
        HashSet<string> urls = [];
        foreach (var key in (string[])["one", "one", "two"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"users/{userId}/reports", UriKind.Relative))
            {
                Content = JsonContent.Create(new { type = "affordability" }),
            };
            request.Headers.Add("Idempotency-Key", key);
            using var answer = await app.Api.SendAsync(request);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            urls.Add(answer.Headers.Location!.ToString());
        }

        Assert.Equal(2, urls.Count);
        foreach (var url in urls)
            (await ReadyAsync(app, url["/api/".Length..])).Dispose();
        Assert.Equal(2, await app.CountAsync("POST /reports"));
    }

    [Fact]
    public async Task A_report_whose_host_died_as_soon_as_it_was_scheduled_is_made_without_anybody_asking_again()
    {
        await using var app = await AppUnderTest.StartAsync(Quick);
        var userId = await ConnectedAsync(app, "jared");
        var report = new KeptReport(new("a1b2c3d4e5f60718"), [new(userId)], "affordability", DateTimeOffset.UtcNow, ReportState.InProgress);
        await app.Services.GetRequiredService<ReportStore>().AskAsync(report, new ReportRequest("affordability"), default);
        var wait = TimeSpan.FromMilliseconds(50);
        await app.Services.GetRequiredService<DurableTaskClient>().ScheduleNewOrchestrationInstanceAsync(
            ReportOrchestration.Name,
            new ReportInput(report.ReportId, report.UserIds, report.Type, report.CreatedAt, wait, wait, TimeSpan.FromSeconds(5)),
            new StartOrchestrationOptions($"{ReportOrchestration.Prefix}test"));

        var listed = await AppUnderTest.WaitForAsync(
            async () => (await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/reports")).GetProperty("reports").EnumerateArray().ToArray(),
            list => list is [var one] && one.GetProperty("status").GetString() is "ready");

        Assert.Equal(report.ReportId, listed[0].GetProperty("reportId").GetString());
        Assert.Single(await app.Services.GetRequiredService<IBasiqClient>().ListReportsAsync());
    }

    [Fact]
    public async Task The_reports_of_a_day_are_counted_over_all_instances_and_one_too_many_is_refused_until_tomorrow()
    {
        using var telemetry = new TelemetryCapture();
        var clock = new ClockFromNoon();
        await using var app = await AppUnderTest.StartAsync([.. Quick, "Reports:MaxPerDay=2", "Sandbox:ShareOfFailedReports=0"], clock);
        var userId = await ConnectedAsync(app, "jared");
        (await ReadyAsync(app, await AskAsync(app, userId, new { type = "affordability" }))).Dispose();
        telemetry.Observe();
        Assert.Equal(1, Assert.Single(telemetry.Of(app.Services, "basiq.report.left")).Value);
        using (var failing = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { shareOfFailedReports = 1.0 }))
            Assert.Equal(HttpStatusCode.OK, failing.StatusCode);
        var second = await AskAsync(app, userId, new { type = "affordability" });
        var before = clock.UntilMidnight;

        using var refused = await app.Api.PostAsJsonAsync($"users/{userId}/reports", new { type = "affordability" });

        await AppUnderTest.AssertProblemAsync(refused, HttpStatusCode.TooManyRequests, "report-limit");
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, clock.UntilMidnight - TimeSpan.FromSeconds(1), before + TimeSpan.FromSeconds(1));
        Assert.Equal(2, (await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/reports")).GetProperty("reports").GetArrayLength());
        await AppUnderTest.WaitForAsync(() => StatusAsync(app, second), status => status is HttpStatusCode.Conflict);
        telemetry.Observe();
        Assert.Equal(0, telemetry.Of(app.Services, "basiq.report.left")[^1].Value);
        Assert.Equal(new Dictionary<string, double> { ["accepted"] = 2, ["over-limit"] = 1 }, telemetry.SumsOf(app.Services, "basiq.report.requests"));
        Assert.Equal(["failed", "ready"], telemetry.SumsOf(app.Services, "basiq.report.duration").Keys.Order());
    }

    [Fact]
    public async Task A_report_that_is_damaged_is_refused_or_broken_off_and_never_looks_whole()
    {
        await using var app = await AppUnderTest.StartAsync(Quick);
        var userId = await ConnectedAsync(app, "jared");
        var url = await AskAsync(app, userId, new { type = "affordability" });
        (await ReadyAsync(app, url)).Dispose();
        var store = app.Services.GetRequiredService<ReportStore>();
        var report = (await store.FindAsync(new(userId), new(url.Split('/')[^1]), default))!;
        var content = Encoding.ASCII.GetBytes($"\"{new string('x', 3 * SegmentCipher.ContentBytes)}\"");
        await store.WriteAsync(report, ReportPart.Json, content, default);
        Assert.Equal(content, await app.Api.GetByteArrayAsync(new Uri(url, UriKind.Relative)));
        var file = Assert.Single(app.State.Files, file => file.EndsWith("report.json", StringComparison.Ordinal));
        var blob = await File.ReadAllBytesAsync(file);
        using var telemetry = new TelemetryCapture();

        // In the last segment: the answer has begun, and ends as no whole answer does.
        blob[^1] ^= 1;
        await File.WriteAllBytesAsync(file, blob);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => app.Api.GetByteArrayAsync(new Uri(url, UriKind.Relative)));
        Assert.Contains($"Report {report.ReportId} is damaged: its answer was broken off.", app.Logs.Text, StringComparison.Ordinal);

        // In the first: it does not begin.
        blob[1_000] ^= 1;
        await File.WriteAllBytesAsync(file, blob);
        foreach (var path in (string[])[url, $"{url}/summary"])
        {
            using var refused = await app.Api.GetAsync(new Uri(path, UriKind.Relative));
            await AppUnderTest.AssertProblemAsync(refused, HttpStatusCode.InternalServerError, "report-damaged");
        }

        Assert.Equal(3, Assert.Single(telemetry.SumsOf(app.Services, "basiq.storage.damages")).Value);
    }

    [Fact]
    public async Task A_deleted_report_is_gone_here_and_at_Basiq()
    {
        await using var app = await AppUnderTest.StartAsync(Quick);
        var userId = await ConnectedAsync(app, "jared");
        var url = await AskAsync(app, userId, new { type = "affordability" });
        (await ReadyAsync(app, url)).Dispose();

        using var deleted = await app.Api.DeleteAsync(new Uri(url, UriKind.Relative));

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        foreach (var path in (string[])[url, $"{url}/summary", $"{url}/transactions"])
        {
            using var gone = await app.Api.GetAsync(new Uri(path, UriKind.Relative));
            await AppUnderTest.AssertProblemAsync(gone, HttpStatusCode.NotFound, "report-not-found");
        }

        using var again = await app.Api.DeleteAsync(new Uri(url, UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(again, HttpStatusCode.NotFound, "report-not-found");
        Assert.Empty(await app.Services.GetRequiredService<IBasiqClient>().ListReportsAsync());
        Assert.DoesNotContain(app.State.Files, file => file.Contains(".reports/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_report_that_is_deleted_while_Basiq_makes_it_is_kept_nowhere()
    {
        await using var app = await AppUnderTest.StartAsync([.. Quick, "Sandbox:JobDuration=00:00:02"]);
        var userId = await ConnectedAsync(app, "jared");
        var url = await AskAsync(app, userId, new { type = "affordability" });
        await AppUnderTest.WaitForAsync(() => app.CountAsync("POST /reports"), count => count > 0);

        using var deleted = await app.Api.DeleteAsync(new Uri(url, UriKind.Relative));

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await AppUnderTest.WaitForAsync(() => app.CountAsync("DELETE /reports/{id}"), count => count == 1);
        await AppUnderTest.WaitForAsync(() => app.Services.GetRequiredService<IBasiqClient>().ListReportsAsync(), reports => reports.Count == 0);
        Assert.DoesNotContain(app.State.Files, file => file.Contains(".reports/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_report_of_two_goes_when_the_consent_of_either_ends_and_the_receipt_counts_it()
    {
        await using var app = await AppUnderTest.StartAsync(Quick);
        var (one, other) = (await ConnectedAsync(app, "jared"), await ConnectedAsync(app, "richard"));
        var together = await AskAsync(app, one, new { type = "affordability", users = (string[])[other] });
        var alone = await AskAsync(app, one, new { type = "affordability" });
        using (var report = await ReadyAsync(app, together))
            Assert.Equal(2, (await AppUnderTest.ReadAsync(report)).GetProperty("data").GetProperty("accounts").EnumerateArray().Select(a => a.GetProperty("connection").GetString()).Distinct().Count());
        (await ReadyAsync(app, alone)).Dispose();

        await RevokeAsync(app, other);

        var receipt = Assert.Single(await app.Services.GetRequiredService<DeletionReceipts>().ListAsync(new(other), default));
        Assert.Equal(1, receipt.Reports);
        using var gone = await app.Api.GetAsync(new Uri(together, UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(gone, HttpStatusCode.NotFound, "report-not-found");
        using (var kept = await app.Api.GetAsync(new Uri(alone, UriKind.Relative)))
            Assert.Equal(HttpStatusCode.OK, kept.StatusCode);

        await RevokeAsync(app, one);
        Assert.Equal(1, Assert.Single(await app.Services.GetRequiredService<DeletionReceipts>().ListAsync(new(one), default)).Reports);
        Assert.DoesNotContain(app.State.Files, file => file.Contains(".reports/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_report_goes_with_a_bank_whose_data_it_has()
    {
        await using var app = await AppUnderTest.StartAsync(Quick);
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "jared", "richard"));
        var accounts = (await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts")).GetProperty("accounts").EnumerateArray().ToArray();
        var (first, last) = (accounts[0], accounts.Last(account => account.GetProperty("connection").GetString() != accounts[0].GetProperty("connection").GetString()));
        var ofFirst = await AskAsync(app, userId, new { type = "affordability", accountIds = (string[])[first.GetProperty("id").GetString()!] });
        var ofLast = await AskAsync(app, userId, new { type = "affordability", accountIds = (string[])[last.GetProperty("id").GetString()!] });
        (await ReadyAsync(app, ofFirst)).Dispose();
        (await ReadyAsync(app, ofLast)).Dispose();

        using var deleted = await app.Api.DeleteAsync(new Uri($"users/{userId}/connections/{first.GetProperty("connection").GetString()}", UriKind.Relative));

        Assert.True(deleted.IsSuccessStatusCode);
        using var gone = await AppUnderTest.WaitForAsync(() => app.Api.GetAsync(new Uri(ofFirst, UriKind.Relative)), answer => answer.StatusCode is not HttpStatusCode.OK);
        await AppUnderTest.AssertProblemAsync(gone, HttpStatusCode.NotFound, "report-not-found");
        using var kept = await app.Api.GetAsync(new Uri(ofLast, UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, kept.StatusCode);
    }

    [Fact]
    public async Task Report_types_are_Basiq_s_and_one_that_is_not_known_here_is_passed_on()
    {
        await using var app = await AppUnderTest.StartAsync(Quick);
        var userId = await ConnectedAsync(app, "jared");

        var types = await app.Api.GetFromJsonAsync<JsonElement>("report-types");
        Assert.Equal(["CON_AFFOR_01", "STATEMENT_01"], types.GetProperty("types").EnumerateArray().Select(type => type.GetProperty("id").GetString()));
        (await ReadyAsync(app, await AskAsync(app, userId, new { type = "CON_AFFOR_01" }))).Dispose();
        var url = await AskAsync(app, userId, new { type = "BUS_AFFOR_09" });
        using var failed = await AppUnderTest.WaitForAsync(() => app.Api.GetAsync(new Uri(url, UriKind.Relative)), answer => answer.StatusCode is not HttpStatusCode.Accepted);
        Assert.Contains("parameter-not-valid", await failed.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <summary>Asks for a report, and gives where it is read.</summary>
    internal static async Task<string> AskAsync(AppUnderTest app, string userId, object request)
    {
        using var answer = await app.Api.PostAsJsonAsync($"users/{userId}/reports", request);
        Assert.True(answer.StatusCode is HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
        return answer.Headers.Location!.ToString()["/api/".Length..];
    }

    /// <summary>Waits until a report can be read.</summary>
    internal static async Task<HttpResponseMessage> ReadyAsync(AppUnderTest app, string url)
    {
        var answer = await AppUnderTest.WaitForAsync(() => app.Api.GetAsync(new Uri(url, UriKind.Relative)), answer => answer.StatusCode is not HttpStatusCode.Accepted);
        Assert.True(answer.StatusCode is HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return answer;
    }

    private static async Task<HttpStatusCode> StatusAsync(AppUnderTest app, string url)
    {
        using var answer = await app.Api.GetAsync(new Uri(url, UriKind.Relative));
        return answer.StatusCode;
    }

    internal static async Task<HttpResponseMessage> GetPdfAsync(AppUnderTest app, string url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, UriKind.Relative));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/pdf"));
        var answer = await app.Api.SendAsync(request);
        Assert.Equal("application/pdf", answer.Content.Headers.ContentType?.MediaType);
        return answer;
    }

    internal static async Task<string> ConnectedAsync(AppUnderTest app, string login)
    {
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, login));
        return userId;
    }

    private static async Task RevokeAsync(AppUnderTest app, string userId)
    {
        var consents = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/consents");
        await app.DeleteAsync($"users/{userId}/consents/{consents.GetProperty("consents")[0].GetProperty("id").GetString()}");
    }

    private static async Task SetAsync(AppUnderTest app, object options)
    {
        using var answer = await app.Sandbox.PatchAsJsonAsync("_sandbox/options", options);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>Shows noon when it is made: no day ends while a test runs.</summary>
    private sealed class ClockFromNoon : TimeProvider
    {
        private readonly TimeSpan _ahead = TimeSpan.FromHours(12) - DateTime.UtcNow.TimeOfDay;

        public TimeSpan UntilMidnight => TimeSpan.FromDays(1) - GetUtcNow().TimeOfDay;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _ahead;
    }
}
