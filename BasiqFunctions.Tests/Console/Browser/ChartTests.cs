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

    [Fact]
    public async Task An_axis_tells_its_steps_apart_a_line_stays_one_in_forced_colours_and_days_are_worked_out_once()
    {
        const int Transactions = 1000;
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        await page.AddInitScriptAsync(
            """
            window.formatted = 0;
            const format = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, 'format');
            Object.defineProperty(Intl.DateTimeFormat.prototype, 'format', { ...format, get() { window.formatted++; return format.get.call(this); } });
            """);
        await page.RouteAsync("**/api/users/*/accounts", async route =>
        {
            var answer = await route.FetchAsync();
            var body = JsonNode.Parse(await answer.TextAsync())!;
            foreach (var (account, balance) in (body["accounts"]?.AsArray() ?? []).Zip((string[])["0.80", "9.00"]))
                (account!["name"], account["balance"]) = ($"With {balance}", balance);
            await route.FulfillAsync(new() { Response = answer, Body = body.ToJsonString() });
        });

        // Each comes back at once, so that the balance is the same every day.
        var now = DateTime.UtcNow;
        var transactions = new JsonArray([.. Enumerable.Range(0, Transactions)
            .Select(n => Transaction("There and back", n % 2 == 0 ? "0.01" : "-0.01", "AUD", now.AddDays(-1 - (n / 2 % 300)), "HH:mm:ss"))]);
        await page.RouteAsync(
            "**/api/users/*/accounts/*/transactions?limit=500*",
            route => route.FulfillAsync(new() { ContentType = "application/json", Body = new JsonObject { ["transactions"] = transactions.DeepClone() }.ToJsonString() }));
        await visit.CreateUserAsync();
        await visit.ConnectAsync("Whistler");
        await visit.SeeStateAsync("charts", "done");
        var charts = page.Locator("#charts");
        var ticks = charts.Locator("svg.chart").First.Locator(".tick-text[text-anchor=end]:not(.axis-unit)");

        foreach (var (balance, steps) in new (string, string[])[] { ("0.80", ["$0.00", "$0.25", "$0.50", "$0.75", "$1.00"]), ("9.00", ["$0.00", "$2.50", "$5.00", "$7.50", "$10.00"]) })
        {
            await page.EvaluateAsync("window.formatted = 0");
            await page.Locator("#scope").SelectOptionAsync(new SelectOptionValue { Label = $"With {balance} · Hooli" });
            await Assertions.Expect(charts.Locator("svg.chart title").First).ToHaveTextAsync($"Balance over time: With {balance} · Hooli");
            Assert.Equal(steps, await ticks.AllTextContentsAsync());
            Assert.InRange(await page.EvaluateAsync<int>("window.formatted"), 1, Transactions / 2);
        }

        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ForcedColors = ForcedColors.Active });
        var line = charts.Locator("svg.chart .line");
        await Assertions.Expect(line).ToHaveCSSAsync("fill", "none");
        await Assertions.Expect(line).ToHaveCSSAsync("stroke", await page.EvaluateAsync<string>("getComputedStyle(document.body).color"));
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

    private static JsonNode Transaction(string description, string amount, string currency, DateTime day, string time = "00:00:00") => new JsonObject
    {
        ["type"] = "transaction",
        ["id"] = Guid.NewGuid().ToString(),
        ["status"] = "posted",
        ["description"] = description,
        ["amount"] = amount,
        ["currency"] = currency,
        ["class"] = "payment",
        ["postDate"] = JsonSerializer.SerializeToNode(day.ToString($"yyyy-MM-dd'T'{time}'Z'", CultureInfo.InvariantCulture)),
    };
}
