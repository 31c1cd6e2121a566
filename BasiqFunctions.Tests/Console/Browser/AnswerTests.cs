using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>Whatever the API answers, and however long that takes, the page says what is so and keeps what a person is at.</summary>
[Trait("Category", "Browser")]
[Collection(InBrowser.Name)]
public sealed class AnswerTests(Chromium chromium)
{
    private readonly MadeUpAnswers _answers = new();

    [Fact]
    public async Task A_day_is_typed_and_an_account_chosen_with_the_keyboard_and_the_focus_stays()
    {
        await using var visit = await StartAsync();
        var page = visit.Page;
        var from = page.Locator("#filter-from");
        await from.FocusAsync();

        await page.Keyboard.TypeAsync("02052026");

        await Assertions.Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("from=2026-0[25]-0[25]"));
        await Assertions.Expect(from).ToBeFocusedAsync();
        Assert.DoesNotContain(_answers.Asked, asked => asked.Contains("from=0", StringComparison.Ordinal));
        var search = page.Locator("#find");
        await search.FillAsync("coffee 1");
        await page.Locator("#filter-status").SelectOptionAsync("posted");
        await Assertions.Expect(search).ToHaveValueAsync("coffee 1");
        await Assertions.Expect(page.Locator(".transactions tbody tr:visible")).ToHaveCountAsync(1);

        var account = page.Locator("#account");
        await account.FocusAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await Assertions.Expect(page.Locator(".transactions tbody tr").First).ToContainTextAsync("of a-2");
        await Assertions.Expect(account).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowUp");
        await Assertions.Expect(page.Locator(".transactions tbody tr").First).ToContainTextAsync("of a-1");
        await Assertions.Expect(account).ToBeFocusedAsync();
    }

    [Fact]
    public async Task What_is_removed_in_the_background_is_gone_when_its_receipt_is_there_and_not_before()
    {
        await using var visit = await StartAsync("404 /api/users/");
        var page = visit.Page;
        var isRemoved = false;
        _answers["DELETE /connections/c-1"] = _ => (202, new { receiptId = "r-1", url = "" });
        _answers["GET /deletion-receipts/r-1"] = _ => Volatile.Read(ref isRemoved) ? (200, new { receiptId = "r-1" }) : (404, MadeUpAnswers.Problem("receipt-not-found"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Disconnect Hooli" }).ClickAsync();
        await page.Locator("#really-disconnect").ClickAsync();
        await Assertions.Expect(page.Locator("#accounts .box")).ToContainTextAsync("Being removed.");
        await Assertions.Expect(page.Locator("#announcer")).Not.ToContainTextAsync("disconnected");
        Volatile.Write(ref isRemoved, true);
        await Assertions.Expect(page.Locator("#announcer")).ToContainTextAsync("Hooli has been disconnected.");

        Volatile.Write(ref isRemoved, false);
        _answers["DELETE "] = _ => (202, new { receiptId = "r-1", url = "" });
        await page.Locator("#delete-user").ClickAsync();
        await page.Locator("#really-delete").ClickAsync();
        await Assertions.Expect(page.Locator("#removal .box")).ToContainTextAsync("Being removed.");
        await Assertions.Expect(page.Locator(".proof")).ToHaveCountAsync(0);
        _answers["GET "] = _ => (404, MadeUpAnswers.Problem("user-not-found"));
        Volatile.Write(ref isRemoved, true);

        // What the API still has is not called gone.
        await Assertions.Expect(page.Locator(".proof")).ToContainTextAsync("404 user-not-found");
        await Assertions.Expect(page.Locator("#removal > header .pill")).ToHaveTextAsync("Not all gone");
    }

    [Fact]
    public async Task Banks_and_consents_that_cannot_be_had_are_not_taken_for_none_and_what_is_kept_is_shown()
    {
        _answers["GET /connections"] = _ => (503, MadeUpAnswers.Problem("basiq-unavailable"));
        await using var visit = await StartAsync("503 /connections", "503 /consents");
        var page = visit.Page;
        var pill = page.Locator("#bank > header .pill");
        await Assertions.Expect(pill).ToHaveTextAsync("Failed");
        await Assertions.Expect(page.Locator("a.account")).ToHaveCountAsync(2);

        // An account that names no connection has nothing to refresh or to disconnect.
        await Assertions.Expect(page.Locator(".bank-group")).ToHaveCountAsync(2);
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { NameRegex = new("^(Refresh|Disconnect) ") })).ToHaveCountAsync(2);

        _answers["GET /connections"] = _ => (200, new { connections = new[] { new { id = "c-1", status = "active", institution = new { id = "AU00000" } } } });
        _answers["GET /consents"] = _ => (503, MadeUpAnswers.Problem("basiq-unavailable"));
        await page.Locator("#bank").GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Assertions.Expect(pill).ToHaveTextAsync("Consent unknown");

        _answers["GET /consents"] = _ => (200, MadeUpAnswers.Consents("pending"));
        await page.Locator("#bank").GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Assertions.Expect(pill).ToHaveTextAsync("Done");
        await Assertions.Expect(page.Locator(".consents li")).ToContainTextAsync("Ends ");

        // News of a bank leave alone what the person types below it, and a bank that cannot be asked is said to be what it is.
        await page.Locator(".another summary").ClickAsync();
        var search = page.Locator("#bank-search");
        await search.FillAsync("hoo");
        _answers["GET /connections"] = _ => (200, new { connections = new[] { new { id = "c-1", status = "active", institution = new { id = "AU00000" }, attention = new { nextAction = "wait-for-bank" } } } });
        await page.EvaluateAsync($"dispatchEvent(new CustomEvent('webhooks', {{ detail: [{{ userId: '{MadeUpAnswers.UserId}', outcome: 'marked' }}] }}))");
        await Assertions.Expect(pill).ToHaveTextAsync("Needs you");
        await Assertions.Expect(search).ToHaveValueAsync("hoo");
        await Assertions.Expect(search).ToBeFocusedAsync();
        _answers["POST /refresh"] = _ => (200, new { status = "needs-attention", attention = new[] { new { connectionId = "c-1", nextAction = "wait-for-bank" } } });
        await page.GetByRole(AriaRole.Button, new() { Name = "Refresh Hooli" }).ClickAsync();
        await Assertions.Expect(page.Locator("#accounts .box")).ToContainTextAsync("Nothing needs to be done");
    }

    [Fact]
    public async Task Changes_are_told_once_and_newer_data_is_offered()
    {
        var fails = 1;
        DateTimeOffset? newer = null;
        _answers["GET /changes"] = request => request.Url switch
        {
            var url when !url.Contains("cursor=", StringComparison.Ordinal) => (200, MadeUpAnswers.Changes(500, "half", hasMore: true)),
            var url when url.Contains("cursor=half", StringComparison.Ordinal) =>
                Interlocked.Exchange(ref fails, 0) == 1 ? (410, MadeUpAnswers.Problem("cursor-expired")) : (200, MadeUpAnswers.Changes(300, "end", hasMore: false)),
            _ => (200, MadeUpAnswers.Changes(0, "end", hasMore: false, newer, newer is null ? null : [new { type = "modified", accountId = "a-1" }])),
        };
        await using var visit = await StartAsync("410 /changes");
        var page = visit.Page;
        await Assertions.Expect(page.Locator("#changes .body")).ToContainTextAsync("0 accounts and 800 transactions");
        await Assertions.Expect(page.Locator("#changes tbody tr")).ToHaveCountAsync(0);

        newer = DateTimeOffset.UtcNow.AddMinutes(1);
        _answers["GET /accounts"] = _ => (200, MadeUpAnswers.Accounts(newer.Value, "999.99"));
        await Assertions.Expect(page.Locator(".newer")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("a.account").First).ToContainTextAsync("1,200.50");
        await page.Locator(".newer button").ClickAsync();
        await Assertions.Expect(page.Locator("a.account").First).ToContainTextAsync("999.99");
        await Assertions.Expect(page.Locator(".newer")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_report_that_is_asked_for_takes_the_place_of_one_that_is_waited_for_and_one_that_cannot_be_had_says_so()
    {
        _answers["GET /reports"] = _ => (200, new { reports = new[] { new { reportId = "old", status = "in-progress" } } });
        _answers["GET /reports/old/summary"] = _ => (202, null);
        _answers["POST /reports"] = _ => (202, new { reportId = "new" });
        _answers["GET /reports/new/summary"] = _ => (200, new { metrics = new { }, groups = Array.Empty<object>(), riskFlags = Array.Empty<object>() });
        _answers["GET /reports/new"] = _ => (500, MadeUpAnswers.Problem("internal-error"));
        _answers["GET /syncs/sync-1"] = _ => (200, new
        {
            status = "completed",
            accounts = new { total = 2, fetched = 2 },
            transactions = 6,
            jobs = new[] { new { jobId = "j-1", connectionId = "c-1", status = "success", steps = Array.Empty<object>() } },
        });
        await using var visit = await StartAsync("500 /reports/new");
        var page = visit.Page;
        await page.GotoAsync($"{visit.Home}?userId={MadeUpAnswers.UserId}&syncId=sync-1");

        // The person is led to the accounts at once, not when the report is there.
        await Assertions.Expect(page.Locator("#accounts-title")).ToBeFocusedAsync();
        await visit.SeeStateAsync("reports", "busy");
        await page.Locator("#ask-report").ClickAsync();
        await visit.SeeStateAsync("reports", "failed");
        await Assertions.Expect(page.Locator("#reports .box")).ToContainTextAsync("internal-error");
        _answers["GET /reports/old/summary"] = _ => (200, new { metrics = new { }, groups = Array.Empty<object>(), riskFlags = Array.Empty<object>() });
        var asked = _answers.Asked.Count;
        await AskedAsync(asked + 3);
        await Assertions.Expect(page.Locator("#reports .box")).ToContainTextAsync("internal-error");
        Assert.DoesNotContain(_answers.Asked.Skip(asked), one => one.Contains("/reports/old", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Each_question_of_a_bank_is_asked_and_what_happens_at_once_is_said_together()
    {
        var description = "The code that was sent";
        var status = "in-progress";
        _answers["GET /syncs/sync-1"] = _ => (200, new
        {
            status = status == "in-progress" ? "waiting-for-bank" : "partial",
            accounts = new { total = 0, fetched = 0 },
            transactions = 0,
            jobs = new[]
            {
                new { jobId = "j-1", connectionId = "c-1", status, steps = new object[] { new { title = "mfa-challenge", status, challenge = new { description, input = new[] { "Code" } } } } },
                new { jobId = "j-2", connectionId = "c-2", status, steps = new object[] { new { title = "retrieve-accounts", status } } },
            },
        });
        _answers["POST /syncs/sync-1/mfa"] = _ => (202, new { syncId = "sync-1" });
        await using var visit = await StartAsync();
        var page = visit.Page;
        await page.GotoAsync($"{visit.Home}?userId={MadeUpAnswers.UserId}&syncId=sync-1");
        await page.GetByLabel("Code").FillAsync("1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send the answer" }).ClickAsync();
        await visit.SeeAsync("Sent. The bank goes on.");

        description = "The colour of your first car";

        await Assertions.Expect(page.Locator(".question")).ToContainTextAsync(description);
        await Assertions.Expect(page.GetByLabel("Code")).ToHaveValueAsync("");
        status = "failed";
        foreach (var said in (string[])["Confirm with a code, failed.", "Read the accounts, failed.", "Partly completed"])
            await Assertions.Expect(page.Locator("#announcer")).ToContainTextAsync(said);
    }

    [Fact]
    public async Task The_page_works_where_the_browser_keeps_nothing_and_beside_a_panel_that_does_not_answer()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        var held = new ConcurrentBag<IRoute>();
        await page.AddInitScriptAsync("Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('Forbidden', 'SecurityError'); } });");
        foreach (var path in (string[])["status", "webhooks", "notifications"])
            await page.RouteAsync($"**/console/{path}", held.Add);

        await visit.CreateUserAsync();

        await Assertions.Expect(page.Locator("#user .fold-line")).ToHaveTextAsync("Max Wentworth-Smith");
        Assert.NotEmpty(held);
    }

    private async Task AskedAsync(int times) =>
        await Hosting.AppUnderTest.WaitForAsync(() => Task.FromResult(_answers.Asked.Count), count => count >= times);

    private async Task<Visit> StartAsync(params string[] expected)
    {
        var visit = await Visit.StartAsync(chromium, expected: expected);
        await _answers.UseAsync(visit.Page);
        await visit.Page.GotoAsync($"{visit.Home}?userId={MadeUpAnswers.UserId}");
        await visit.SeeStateAsync("charts", "done");
        return visit;
    }
}
