using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using UglyToad.PdfPig;

namespace BasiqFunctions.Tests.Sandbox;

/// <summary>Reports as Basiq's documents have them.</summary>
[Trait("Category", "Unit")]
public sealed class ReportTests
{
    [Fact]
    public async Task An_affordability_report_agrees_with_the_transactions()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank("richard");

        var url = await MadeAsync(host, await AffordabilityAsync(host, userId));

        var report = await host.Get(url);
        var transactions = (await host.Get($"{url}/transactions")).GetProperty("data").EnumerateArray().ToArray();
        var posted = (await host.Transactions(userId, "?filter=transaction.status.eq('posted')")).ToDictionary(t => t.GetProperty("id").GetString()!);
        Assert.NotEmpty(transactions);
        Assert.All(transactions, t => Assert.All(
            (string[])["account", "amount", "balance", "description", "postDate"],
            field => Assert.Equal(posted[t.GetProperty("id").GetString()!].GetProperty(field).GetString(), t.GetProperty(field).GetString())));
        var groups = report.GetProperty("data").GetProperty("groups").EnumerateArray().ToArray();
        Assert.Contains(groups, group => group.GetProperty("id").GetString() is "INC-009");
        foreach (var group in groups)
        {
            var members = group.GetProperty("subgroup").EnumerateArray().SelectMany(sub => sub.GetProperty("transactions").EnumerateArray()).ToArray();
            Assert.Equal(Amount(group.GetProperty("analysis").GetProperty("amount"), "total"), members.Sum(member => Amount(posted[member.GetProperty("id").GetString()!], "amount")));
        }

        var salary = posted.Values.Where(t => t.GetProperty("class").GetString() is "direct-credit").Sum(t => Amount(t, "amount"));
        Assert.Equal(Monthly(salary), Metric(report, "ME002"), 2);
        Assert.Equal(1, Metric(report, "ME001"));
    }

    [Theory]
    [InlineData("richard")]
    [InlineData("jared")]
    [InlineData("gavinBelson")]
    [InlineData("Gilfoyle")]
    public async Task Income_expenses_and_liabilities_are_the_sums_of_the_report_s_own_transactions_and_its_PDF_says_the_same(string login)
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank(login);
        var url = await MadeAsync(host, await AffordabilityAsync(host, userId));
        var report = await host.Get(url);
        var transactions = (await host.Get($"{url}/transactions")).GetProperty("data").EnumerateArray().ToDictionary(t => t.GetProperty("id").GetString()!);

        // Each transaction stands in one group at most, and what stands in none is a transfer between own accounts.
        var groups = report.GetProperty("data").GetProperty("groups").EnumerateArray().ToArray();
        var grouped = groups.ToDictionary(group => group, group => group.GetProperty("subgroup").EnumerateArray().SelectMany(sub => sub.GetProperty("transactions").EnumerateArray()).Select(t => t.GetProperty("id").GetString()!).ToArray());
        var members = grouped.Values.SelectMany(ids => ids).ToArray();
        Assert.Equal(members.Length, members.Distinct().Count());
        Assert.Equal(groups.Sum(group => group.GetProperty("analysis").GetProperty("summary").GetProperty("transactionCount").GetInt32()), members.Length);
        decimal Sum(params string[] sections) => grouped
            .Where(group => sections.Contains(group.Key.GetProperty("sections")[0].GetString())).SelectMany(group => group.Value).Sum(id => Amount(transactions[id], "amount"));

        Assert.NotEqual(0, Sum("Income"));
        Assert.Equal(Monthly(Sum("Income")), Metric(report, "ME033"), 2);
        Assert.Equal(Monthly(Sum("Discretionary Expenses", "Non-Discretionary Expenses", "Other Expenses", "Liabilities")), Metric(report, "ME034"), 2);
        Assert.Equal(Monthly(Sum("Liabilities")), Metric(report, "ME008"), 2);
        Assert.Equal(Monthly(Sum("Non-Discretionary Expenses", "Liabilities")), Metric(report, "ME012"), 2);
        Assert.Equal(Monthly(Sum("Discretionary Expenses")), Metric(report, "ME014"), 2);
        Assert.Equal(Monthly(Sum("Other Expenses")), Metric(report, "ME016"), 2);

        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/pdf"));
        using var answer = await host.Http.SendAsync(request);
        using var pdf = PdfDocument.Open(await answer.Content.ReadAsByteArrayAsync());
        var text = string.Concat(pdf.GetPages().Select(page => page.Text));
        var said = report.GetProperty("data").GetProperty("metrics").EnumerateArray().Select(metric => metric.GetProperty("result").GetProperty("value").GetString()!)
            .Concat(groups.Select(group => group.GetProperty("analysis").GetProperty("amount").GetProperty("total").GetString()!));
        Assert.DoesNotContain(said, figure => !text.Contains(figure, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_report_is_a_PDF_that_says_what_its_JSON_does()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank("Gilfoyle");
        var account = (await host.Accounts(userId))[0].GetProperty("id").GetString()!;
        var url = await MadeAsync(host, Order("STATEMENT_01", ("fromDate", "2026-01-01"), ("account", account), ("user", userId)));
        var report = await host.Get(url);

        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/pdf"));
        using var answer = await host.Http.SendAsync(request);

        Assert.Equal("application/pdf", answer.Content.Headers.ContentType?.MediaType);
        using var pdf = PdfDocument.Open(await answer.Content.ReadAsByteArrayAsync());
        var text = string.Join('\n', pdf.GetPages().Select(page => page.Text));
        Assert.Contains("Bertram Gilfoyle", text, StringComparison.Ordinal);
        Assert.Contains("7 Ironbark Lane, Fitzroy North, VIC, 3068", text, StringComparison.Ordinal);
        Assert.Contains(report.GetProperty("title").GetString()!, text, StringComparison.Ordinal);
        Assert.Contains(report.GetProperty("data").GetProperty("account")[0].GetProperty("balance").GetString()!, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_is_there_from_the_end_of_its_job_for_24_hours()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var job = (await host.Send(HttpMethod.Post, "/reports", HttpStatusCode.Accepted, await AffordabilityAsync(host, userId))).GetProperty("id").GetString();
        Assert.Empty((await host.Get("/reports")).GetProperty("data").EnumerateArray());
        Assert.Equal("in-progress", (await host.Get($"/jobs/{job}")).GetProperty("steps")[0].GetProperty("status").GetString());

        host.Clock.Advance(TimeSpan.FromSeconds(6));
        var done = await host.Get($"/jobs/{job}");
        Assert.Equal("report", done.GetProperty("jobType").GetString());
        Assert.Equal("create-report", done.GetProperty("steps")[0].GetProperty("title").GetString());
        var url = done.GetProperty("links").GetProperty("source").GetString()!;
        Assert.Single((await host.Get("/reports")).GetProperty("data").EnumerateArray());

        host.Clock.Advance(TimeSpan.FromHours(24));
        await host.SignIn();
        await host.Error(HttpMethod.Get, url, HttpStatusCode.NotFound);
        Assert.Empty((await host.Get("/reports")).GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task Reports_are_limited_fail_and_have_answers_that_are_lost_by_knobs()
    {
        await using var host = await SandboxHost.StartAsync(options => (options.ReportLimit, options.ShareOfFailedReports) = (2, 1));
        var userId = await host.UserWithBank();
        var order = await AffordabilityAsync(host, userId);
        var job = (await host.Send(HttpMethod.Post, "/reports", HttpStatusCode.Accepted, order)).GetProperty("id").GetString();
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("failed", (await host.Get($"/jobs/{job}")).GetProperty("steps")[0].GetProperty("status").GetString());

        await host.SetOptions(new { shareOfFailedReports = 0, shareOfLostReportAnswers = 1 });
        await Assert.ThrowsAsync<HttpRequestException>(() => host.Send(HttpMethod.Post, "/reports", HttpStatusCode.Accepted, order));
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Single((await host.Get("/reports")).GetProperty("data").EnumerateArray());

        await host.SetOptions(new { shareOfLostReportAnswers = 0 });
        await host.Send(HttpMethod.Post, "/reports", HttpStatusCode.Accepted, order);
        await host.Error(HttpMethod.Post, "/reports", HttpStatusCode.TooManyRequests, order);
    }

    [Fact]
    public async Task Reports_survive_a_restart()
    {
        using var folder = new Hosting.TemporaryDirectory();
        var file = Path.Combine(folder.Path, "sandbox.jsonl");
        string url, json;
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(SandboxHost.Start);
        await using (var host = await SandboxHost.StartAsync(options => options.StateFile = file, clock))
        {
            var userId = await host.UserWithBank();
            url = new Uri(await MadeAsync(host, await AffordabilityAsync(host, userId))).AbsolutePath;
            json = (await host.Get(url)).GetRawText();
        }

        await using var again = await SandboxHost.StartAsync(options => options.StateFile = file, clock);
        await again.SignIn();
        Assert.Equal(json, (await again.Get(url)).GetRawText());
    }

    /// <summary>The body of <c>POST /reports</c>.</summary>
    internal static object Order(string type, params (string Name, object Value)[] filters) =>
        new { reportType = type, title = "Of a test", filters = filters.Select(filter => new { name = filter.Name, value = filter.Value }) };

    /// <summary>The same of an affordability report of all of a user's accounts.</summary>
    internal static async Task<object> AffordabilityAsync(SandboxHost host, string userId)
    {
        var accounts = (await host.Get($"/users/{userId}/accounts")).GetProperty("data").EnumerateArray().Select(account => account.GetProperty("id").GetString()!);
        return Order("CON_AFFOR_01", ("users", (string[])[userId]), ("accounts", (string[])[.. accounts]));
    }

    private static async Task<string> MadeAsync(SandboxHost host, object order)
    {
        var job = (await host.Send(HttpMethod.Post, "/reports", HttpStatusCode.Accepted, order)).GetProperty("id").GetString();
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        return (await host.Get($"/jobs/{job}")).GetProperty("links").GetProperty("source").GetString()!;
    }

    /// <summary>Of a year's sum, to the cent.</summary>
    private static decimal Monthly(decimal year) => Math.Truncate(year / 12 * 100) / 100;

    private static decimal Metric(JsonElement report, string id) => decimal.Parse(
        report.GetProperty("data").GetProperty("metrics").EnumerateArray().Single(metric => metric.GetProperty("id").GetString() == id)
            .GetProperty("result").GetProperty("value").GetString()!,
        CultureInfo.InvariantCulture);

    private static decimal Amount(JsonElement of, string name) => decimal.Parse(of.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);
}
