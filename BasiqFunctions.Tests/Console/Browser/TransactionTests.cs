using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>The list of transactions, of whatever a bank gives and however much it is.</summary>
[Trait("Category", "Browser")]
[Collection(InBrowser.Name)]
public sealed class TransactionTests(Chromium chromium)
{
    /// <summary>Enough to fill the list's place, so that it reads no more until one scrolls.</summary>
    private const int PageSize = 30;
    private const int Pages = 30;

    private static readonly DateTime Day = new(2025, 11, 28);

    [Fact]
    public async Task A_search_asks_before_it_reads_very_much_and_an_amount_is_written_as_it_is_on_any_screen()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        var asked = 0;
        await page.RouteAsync("**/api/users/*/accounts/*/transactions?limit=100*", route =>
        {
            var number = Interlocked.Increment(ref asked);
            var body = new JsonObject { ["transactions"] = List(number), ["nextCursor"] = number < Pages ? $"{number}" : null };
            return route.FulfillAsync(new() { ContentType = "application/json", Body = body.ToJsonString() });
        });
        await visit.CreateUserAsync();
        await visit.ConnectAsync("Whistler");
        await visit.SeeStateAsync("charts", "done");
        var list = page.Locator("#transactions");
        var rows = list.Locator("tbody tr");
        var status = list.Locator("[role=status]").Last;
        await Assertions.Expect(rows).ToHaveCountAsync(PageSize);

        await page.Locator("#find").FillAsync("no such thing");
        await Assertions.Expect(status).ToHaveTextAsync("0 matches in 630 transactions read. The rest has not been searched.");
        Assert.Equal(21, asked);
        await list.GetByRole(AriaRole.Button, new() { Name = "Search on" }).ClickAsync();
        await Assertions.Expect(status).ToHaveTextAsync("0 matches in 900 transactions read, all there are.");

        await page.Locator("#find").FillAsync("abroad");
        await Assertions.Expect(list.Locator("tbody tr:visible")).ToHaveCountAsync(3);
        await page.Locator("#find").FillAsync("");
        var amounts = rows.Locator("td:nth-child(3)");
        Assert.Equal(
            ["–", "$0.00", "+JPY 1,000", "−JPY 0.5", "−5.00 US$", "+$84.20"],
            from text in (await amounts.AllInnerTextsAsync()).Take(6) select text.Replace('\u00a0', ' ').Trim());
        Assert.Equal(
            ["none", "none", "plus", "minus", "minus", "plus"],
            await amounts.EvaluateAllAsync<string[]>("all => all.slice(0, 6).map(one => one.dataset.sign)"));
        await Assertions.Expect(list.GetByRole(AriaRole.Columnheader, new() { Name = "Balance" })).ToBeVisibleAsync();

        // The smallest screen has no room for the column, and shows all the same what stands in it.
        await page.SetViewportSizeAsync(320, 900);
        await Assertions.Expect(amounts.Nth(5).GetByText("Balance $1,234,567.89")).ToBeVisibleAsync();
        await Assertions.Expect(rows.First.Locator("time")).ToHaveTextAsync($"{Day:d MMM yyyy}", new() { UseInnerText = true });
        var sizes = await list.Locator(".table-scroll").EvaluateAsync<int[]>("one => [one.scrollWidth, one.clientWidth]");
        Assert.True(sizes[0] <= sizes[1], $"The table is {sizes[0]} wide, its place {sizes[1]}.");
        Assert.Equal(320, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    private static JsonArray List(int page)
    {
        JsonNode[] odd = page > 1 ? [] :
        [
            Transaction("Without an amount", null, "AUD"), Transaction("Nothing", "0.00", "AUD"), Transaction("Abroad", "1000.00", "JPY"),
            Transaction("Abroad", "-0.5", "JPY"), Transaction("Abroad", "-5.00", "US$"), Transaction("Salary", "84.20", "AUD"),
        ];
        return [.. odd, .. Enumerable.Range(odd.Length, PageSize - odd.Length).Select(n => Transaction($"Groceries {page}-{n}", "-1.00", "AUD"))];
    }

    private static JsonObject Transaction(string description, string? amount, string currency) => new()
    {
        ["id"] = Guid.NewGuid().ToString(),
        ["status"] = "posted",
        ["description"] = description,
        ["amount"] = amount,
        ["currency"] = currency,
        ["balance"] = currency is "AUD" ? "1234567.89" : null,
        ["class"] = "payment",
        ["postDate"] = Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
    };
}
