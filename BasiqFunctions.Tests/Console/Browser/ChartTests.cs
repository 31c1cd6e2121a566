using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>The charts add up what belongs together, on the days that the bank means.</summary>
[Trait("Category", "Browser")]
[Collection(InBrowser.Name)]
public sealed class ChartTests(Chromium chromium)
{
    [Fact]
    public async Task A_date_in_the_future_moves_no_axis_and_no_other_currency_is_added()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        var now = DateTime.UtcNow;
        await page.RouteAsync("**/api/users/*/accounts/*/transactions?limit=500*", async route =>
        {
            var answer = await route.FetchAsync();
            var body = JsonNode.Parse(await answer.TextAsync())!;
            var transactions = body["transactions"]!.AsArray();
            transactions.Insert(0, Transaction("Rent of next year", "-123456.00", "AUD", now.AddDays(400)));
            transactions.Insert(0, Transaction("A cheque that is dated ahead", "234567.00", "AUD", now.AddDays(5)));
            transactions.Insert(0, Transaction("Bought abroad", "-98765.00", "USD", now.AddDays(-3)));
            await route.FulfillAsync(new() { Response = answer, Body = body.ToJsonString() });
        });

        await visit.CreateUserAsync();
        await visit.ConnectAsync("gavinBelson");
        await visit.SeeStateAsync("charts", "done");

        var charts = page.Locator("#charts");
        await Assertions.Expect(charts.Locator("#future tbody tr")).Not.ToHaveCountAsync(0);
        await Assertions.Expect(charts.Locator("#future")).ToContainTextAsync("Rent of next year");
        await Assertions.Expect(charts.Locator("#future")).ToContainTextAsync("$123,456.00");
        await Assertions.Expect(charts.Locator("#future")).ToContainTextAsync("A cheque that is dated ahead");
        await Assertions.Expect(charts).ToContainTextAsync("Not in the charts, which are in AUD: ");
        Assert.Equal(["AUD", "AUD"], await charts.Locator("svg.chart .axis-unit").AllTextContentsAsync());

        // What the charts show, without what is listed apart.
        await page.EvaluateAsync("document.getElementById('future').remove()");
        var text = await charts.TextContentAsync();
        foreach (var amount in new[] { "123,456", "234,567", "98,765", "Rent of next year", "Bought abroad" })
            Assert.DoesNotContain(amount, text, StringComparison.Ordinal);

        // The last month is the one that it is in Sydney, or was when the bank was read.
        var months = await charts.Locator("table").Nth(1).Locator("tbody th").AllTextContentsAsync();
        Assert.Equal(12, months.Count);
        var last = DateTime.ParseExact(months[^1], "MMM yyyy", CultureInfo.InvariantCulture);
        Assert.InRange(last, now.AddHours(-14).Date.AddDays(1 - now.AddHours(-14).Day), now.AddHours(14));
    }

    public static TheoryData<string, string[]> Days => new()
    {
        {
            "Australia/Sydney",
            [
                "2021-11-19T00:00:00Z 2021-11-19", "2021-11-19T00:00:00.000Z 2021-11-19", "2021-11-19 2021-11-19",
                "2021-11-18T13:00:00Z 2021-11-19", "2021-11-18T12:59:59Z 2021-11-18", "2021-11-19T00:00:00+11:00 2021-11-19",
                "2021-06-18T14:00:00Z 2021-06-19", "2021-06-18T13:59:59Z 2021-06-18", "yesterday ", "2021-13-45T00:00:00Z ", " ",
            ]
        },
        { "Australia/Perth", ["2021-11-19T00:00:00Z 2021-11-19", "2021-11-18T16:00:00Z 2021-11-19", "2021-11-18T13:00:00Z 2021-11-18"] },
    };

    [Theory]
    [MemberData(nameof(Days))]
    public async Task A_day_is_the_one_that_the_bank_means(string zone, string[] days)
    {
        await using var visit = await Visit.StartAsync(chromium, [$"Snapshots:TimeZone={zone}"]);
        await visit.Page.GotoAsync(visit.Home);
        await visit.Page.Locator("#token dl, #token p").First.WaitForAsync();
        foreach (var (moment, day) in days.Select(line => (line[..line.LastIndexOf(' ')], line[(line.LastIndexOf(' ') + 1)..])))
        {
            Assert.Equal(
                (moment, day),
                (moment, await visit.Page.EvaluateAsync<string>(
                    "async text => (await import(document.querySelector('script[type=module]').src.replace('main.js', 'days.js'))).bankDay(text)",
                    moment)));
        }
    }

    private static JsonNode Transaction(string description, string amount, string currency, DateTime day) => new JsonObject
    {
        ["type"] = "transaction",
        ["id"] = Guid.NewGuid().ToString(),
        ["status"] = "posted",
        ["description"] = description,
        ["amount"] = amount,
        ["currency"] = currency,
        ["class"] = "payment",
        ["postDate"] = JsonSerializer.SerializeToNode(day.ToString("yyyy-MM-dd'T'00:00:00'Z'", CultureInfo.InvariantCulture)),
    };
}
