using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Web;
using Microsoft.Playwright;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>The journey as a person makes it in a browser, with all that comes in between.</summary>
[Trait("Category", "Browser")]
[Collection(InBrowser.Name)]
public sealed partial class JourneyTests(Chromium chromium)
{
    [Fact]
    public async Task A_person_gets_from_an_empty_page_to_a_chart_of_their_spending()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;

        await visit.CreateUserAsync();
        await visit.ConnectAsync("gavinBelson");
        await visit.SeeStateAsync("charts", "done");

        await Assertions.Expect(page.Locator("a.account")).ToHaveCountAsync(6);
        Assert.Contains("Balance over time", await page.Locator("svg.chart title").First.TextContentAsync(), StringComparison.Ordinal);
        await Assertions.Expect(page.Locator("svg.chart .bar.out")).ToHaveCountAsync(12);
        await visit.SeeAsync("Where it went");

        // What the page adds up is what the accounts say, to the cent.
        var accounts = await page.Locator("a.account .amount").AllInnerTextsAsync();
        var total = accounts.Sum(Amount);
        Assert.Equal(total, Amount(await page.Locator(".totals [data-kind=sum] dd").InnerTextAsync()));
        await Assertions.Expect(page.Locator("#jobs .call code").First).ToHaveTextAsync("GET /api/users/{userId}/syncs/{syncId}");
        Assert.DoesNotContain("@", page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_sync_changes_appears_by_itself_and_is_still_there_after_a_reload()
    {
        await using var visit = await Visit.StartAsync(chromium, ["Sandbox:NewTransactions=5", "Sandbox:TransactionsPerAccount=700"]);
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("Whistler");
        await visit.SeeStateAsync("charts", "done");
        var userId = HttpUtility.ParseQueryString(new Uri(page.Url).Query)["userId"]!;
        var changes = page.Locator("#changes");
        await Assertions.Expect(changes.Locator(".body")).ToContainTextAsync("Everything there is came as added");
        await Assertions.Expect(changes.Locator("tbody tr")).ToHaveCountAsync(0);

        using (var started = await visit.App.Api.PostAsJsonAsync($"users/{userId}/refresh", new { force = true }))
            Assert.True(started.IsSuccessStatusCode);

        await Assertions.Expect(changes.Locator("tbody [data-change=added]")).Not.ToHaveCountAsync(0);
        await Assertions.Expect(changes.Locator(".body p").First).ToContainTextAsync("added");
        await Assertions.Expect(changes.Locator("tbody [data-change=modified]").First).ToBeVisibleAsync();
        var rows = await changes.Locator("tbody tr").CountAsync();
        Assert.Empty(await Axe.ViolationsAsync(page));
        await page.ReloadAsync();
        await Assertions.Expect(changes.Locator("tbody tr")).ToHaveCountAsync(rows);
    }

    [Fact]
    public async Task A_report_is_asked_for_read_as_a_page_downloaded_as_PDF_and_deleted()
    {
        await using var visit = await Visit.StartAsync(chromium, ["Reports:FirstPollDelay=00:00:00.05"]);
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("richard");
        await visit.SeeStateAsync("charts", "done");

        await page.Locator("#ask-report").ClickAsync();

        await visit.SeeStateAsync("reports", "done");
        var report = page.Locator("#reports");
        foreach (var section in (string[])["Income", "Non-Discretionary Expenses", "Liabilities"])
            await Assertions.Expect(report.GetByRole(AriaRole.Heading, new() { Name = section, Exact = true })).ToBeVisibleAsync();
        await Assertions.Expect(report.GetByRole(AriaRole.Row, new() { NameRegex = new Regex("^Salary") })).ToBeVisibleAsync();
        foreach (var total in (string[])["Income a month", "Expenses a month", "Liabilities a month"])
            await Assertions.Expect(report.GetByText(total, new() { Exact = true })).ToBeVisibleAsync();

        // Figures stand beside each other, and do not cover each other.
        Assert.True(await report.EvaluateAsync<bool>(
            "step => [...step.querySelectorAll('tbody tr')].filter(row => row.offsetParent).every(row => [...row.cells].every(cell => cell.scrollWidth <= cell.clientWidth && getComputedStyle(cell).display === 'table-cell'))"));
        await Assertions.Expect(report.Locator(".report h3")).ToBeFocusedAsync();
        Assert.Empty(await Axe.ViolationsAsync(page));
        var download = await page.RunAndWaitForDownloadAsync(() => page.Locator("#report-pdf").ClickAsync());
        Assert.StartsWith("report-", download.SuggestedFilename, StringComparison.Ordinal);
        using (var pdf = UglyToad.PdfPig.PdfDocument.Open(await download.PathAsync()))
            Assert.Contains("Affordability", pdf.GetPage(1).Text, StringComparison.Ordinal);

        // It is there after a reload, and not after it was deleted.
        await page.ReloadAsync();
        await visit.SeeStateAsync("reports", "done");
        await page.Locator("#report-delete").ClickAsync();
        await Assertions.Expect(report).ToContainTextAsync("Deleted, here and at Basiq.");
        await page.ReloadAsync();
        await visit.SeeStateAsync("charts", "done");
        await Assertions.Expect(report.Locator(".report h3")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task The_keyboard_alone_is_enough()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        await page.GotoAsync(visit.Home);
        await page.Locator("#user-form").WaitForAsync();

        await TabToAsync(page, "#user-email");
        await page.Keyboard.TypeAsync("max@hooli.com");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#connect-bank").WaitForAsync();
        await Assertions.Expect(page.Locator("#bank-title")).ToBeFocusedAsync();
        await Assertions.Expect(page.Locator("#bank-title")).ToHaveCSSAsync("outline-style", "solid");
        await TabToAsync(page, "#connect-bank");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator(".banks").WaitForAsync();
        await TabToAsync(page, ".banks button");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#loginId").WaitForAsync();
        await TabToAsync(page, "#loginId");
        await page.Keyboard.TypeAsync("Whistler");
        await TabToAsync(page, "#password");
        await page.Keyboard.TypeAsync("ShowBox");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#jobs[data-state=done]").WaitForAsync();
        await visit.SeeStateAsync("charts", "done");
        await TabToAsync(page, "a.account:not([aria-current])");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#transactions-title")).ToBeFocusedAsync();
        await TabToAsync(page, "#charts input[type=range]");
        var before = await page.Locator(".readout").InnerTextAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
        await Assertions.Expect(page.Locator(".readout")).Not.ToHaveTextAsync(before);
        await TabToAsync(page, "#ask-report");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#reports .report h3")).ToBeFocusedAsync(new() { Timeout = 30_000 });
        await TabToAsync(page, "#report-pdf");
        await page.RunAndWaitForDownloadAsync(() => page.Keyboard.PressAsync("Enter"));
        await TabToAsync(page, "#reports .report summary");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#reports .report details")).ToHaveAttributeAsync("open", "");
        await TabToAsync(page, "#report-delete");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#reports-title")).ToBeFocusedAsync();
        await TabToAsync(page, "#delete-user");
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, "#really-delete");
        visit.Expected.Add("404 /api/users/");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator(".proof").WaitForAsync();
        await Assertions.Expect(page.Locator("#removal-title")).ToBeFocusedAsync();
    }

    [Fact]
    public async Task A_bank_is_found_by_its_name_and_its_consent_begins_at_its_log_in()
    {
        await using var visit = await Visit.StartAsync(
            chromium, ["Sandbox:MoreBanks=40", "Sandbox:ConnectorStatuses:AU90001=major-outage", "Sandbox:ConnectorStatuses:AU90002=degraded-performance"]);
        var page = visit.Page;
        await visit.CreateUserAsync();
        var choices = page.Locator(".choices li");
        await Assertions.Expect(choices).ToHaveCountAsync(6);
        await Assertions.Expect(page.Locator("#banks-found")).ToContainTextAsync("of 45 banks");
        await Assertions.Expect(page.Locator("main img")).ToHaveCountAsync(0);

        // How a bank is stands in words, and nobody is sent to one that is out of order.
        var search = page.GetByLabel("Find your bank");
        await search.FillAsync("wattle");
        await Assertions.Expect(choices).ToContainTextAsync("Slower than usual");
        await search.FillAsync("banksia");
        await Assertions.Expect(choices).ToContainTextAsync("Out of order: try again later");
        await Assertions.Expect(choices.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
        await search.FillAsync("no such bank");
        await Assertions.Expect(page.Locator("#banks-found")).ToHaveTextAsync("No bank has this name.");
        await search.FillAsync("credit wattle");
        await Assertions.Expect(choices.GetByRole(AriaRole.Link)).ToHaveAttributeAsync("rel", "noopener noreferrer");
        await page.Keyboard.PressAsync("Enter");

        await page.Locator("#loginId").WaitForAsync();
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Wattle Creek Credit Union");
        await visit.AgreeAsync("Whistler");
        await visit.SeeStateAsync("charts", "done");
        await Assertions.Expect(page.Locator("#bank .fold-line")).ToContainTextAsync("Wattle Creek Credit Union, consent until ");
    }

    [Fact]
    public async Task What_is_finished_folds_and_the_view_goes_to_what_is_next()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        await visit.CreateUserAsync();
        await Assertions.Expect(page.Locator("#bank-title")).ToBeFocusedAsync();
        await visit.ConnectAsync("gavinBelson");
        await Assertions.Expect(page.Locator("#accounts-title")).ToBeFocusedAsync();
        await Assertions.Expect(page.Locator("#accounts-title")).ToBeInViewportAsync();
        await Assertions.Expect(page.Locator("#user .fold-line")).ToHaveTextAsync("Max Wentworth-Smith");
        await Assertions.Expect(page.Locator("#jobs .fold-line")).ToHaveTextAsync(FoldedSync());

        // What made the user stays in sight, and what a person opens stays open.
        await Assertions.Expect(page.Locator("#user .call code").First).ToHaveTextAsync("POST /api/users");
        await visit.UnfoldAsync("jobs");
        await page.Locator("#refresh-all").ClickAsync();
        await visit.SeeStateAsync("jobs", "done");
        await visit.SeeStateAsync("charts", "done");
    }

    [Fact]
    public async Task From_the_start_to_the_charts_it_takes_at_most_15_presses_of_Tab()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        await page.GotoAsync(visit.Home);
        await page.Locator("#user-form").WaitForAsync();
        var presses = await TabToAsync(page, ".skip");
        await page.Keyboard.PressAsync("Enter");
        presses += await TabToAsync(page, "#user-email");
        await page.Keyboard.TypeAsync("max@hooli.com");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#bank-search").WaitForAsync();
        presses += await TabToAsync(page, "#bank-search");
        await page.Keyboard.TypeAsync("hooli");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#loginId").WaitForAsync();
        presses += await TabToAsync(page, "#loginId");
        await page.Keyboard.TypeAsync("Whistler");
        presses += await TabToAsync(page, "#password");
        await page.Keyboard.TypeAsync("ShowBox");
        await page.Keyboard.PressAsync("Enter");
        await visit.SeeStateAsync("charts", "done");
        await Assertions.Expect(page.Locator("#accounts-title")).ToBeFocusedAsync();
        presses += await TabToAsync(page, "a[href='#charts']");
        await page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(page.Locator("#charts-title")).ToBeFocusedAsync();
        await Assertions.Expect(page.Locator("#charts-title")).ToBeInViewportAsync();
        Assert.InRange(presses, 5, 15);
    }

    [Fact]
    public async Task A_bank_is_disconnected_only_after_a_question_whose_harmless_answer_is_the_nearer()
    {
        await using var visit = await Visit.StartAsync(chromium);
        visit.Expected.Add("404 /accounts");
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("Whistler");
        await visit.SeeStateAsync("charts", "done");
        await page.GetByRole(AriaRole.Button, new() { Name = "Disconnect Hooli" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Keep" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("a.account").First).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Disconnect Hooli" }).ClickAsync();
        await page.Locator("#really-disconnect").ClickAsync();

        await Assertions.Expect(page.Locator("a.account")).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task A_message_at_a_field_moves_nothing_around_it(int width)
    {
        await using var visit = await Visit.StartAsync(
            chromium, options: new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = 900 } });
        visit.Expected.Add("400 /api/users");
        var page = visit.Page;
        await page.GotoAsync(visit.Home);
        await page.GetByLabel("E-mail").FillAsync("max@");
        await page.GetByLabel("Mobile").FillAsync("0410 888 666");
        const string Tops = "[...document.querySelectorAll('#user input, #create-user')].map(one => Math.round(one.getBoundingClientRect().top + scrollY))";
        var before = await page.EvaluateAsync<int[]>(Tops);

        await page.Locator("#create-user").ClickAsync();

        await Assertions.Expect(page.Locator("#user-email-error")).ToHaveTextAsync("Enter a full e-mail address, such as name@example.com.");
        await Assertions.Expect(page.Locator("#user-mobile-error")).ToHaveTextAsync("Use the international form, such as +61 410 888 666.");
        Assert.Equal(before, await page.EvaluateAsync<int[]>(Tops));

        // As it says, so it takes it.
        await page.GetByLabel("E-mail").FillAsync("");
        await page.GetByLabel("Mobile").FillAsync("+61 410 888 666");
        await page.Locator("#create-user").ClickAsync();
        await page.Locator("#bank-search").WaitForAsync();
    }

    [Fact]
    public async Task What_the_API_refuses_stands_at_its_field_and_the_first_one_gets_the_focus()
    {
        await using var visit = await Visit.StartAsync(chromium);
        visit.Expected.Add("400 /api/users");
        var page = visit.Page;
        await page.GotoAsync(visit.Home);
        await page.GetByLabel("Mobile").FillAsync("0410");
        await page.GetByLabel("First name").FillAsync(new string('x', 101));

        await page.Locator("#create-user").ClickAsync();

        await Assertions.Expect(page.Locator("#user-mobile-error")).ToHaveTextAsync("Use the international form, such as +61 410 888 666.");
        await Assertions.Expect(page.Locator("#user-firstName-error")).ToContainTextAsync("at most 100");
        await Assertions.Expect(page.GetByLabel("Mobile")).ToBeFocusedAsync();
        await Assertions.Expect(page.GetByLabel("Mobile")).ToHaveAttributeAsync("aria-invalid", "true");
        await Assertions.Expect(page.GetByLabel("E-mail")).Not.ToHaveAttributeAsync("aria-invalid", "true");

        // How long to wait is said as a person says it.
        visit.Expected.Add("429 /api/users");
        await page.RouteAsync("**/api/users", route => route.FulfillAsync(new()
        {
            Status = 429,
            Headers = new Dictionary<string, string> { ["Retry-After"] = "41234" },
            ContentType = "application/problem+json",
            Body = """{"code":"budget-spent","detail":"Enough for today."}""",
        }));
        await page.Locator("#create-user").ClickAsync();
        await Assertions.Expect(page.Locator("#user [role=alert]")).ToContainTextAsync("try again in 11 h");
    }

    [Fact]
    public async Task What_a_person_typed_is_shown_as_text_and_never_as_markup()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        await page.GotoAsync(visit.Home);
        await page.GetByLabel("E-mail").FillAsync("max@hooli.com");
        await page.GetByLabel("First name").FillAsync("<img src=x onerror=alert(1)>");
        await page.Locator("#create-user").ClickAsync();

        await Assertions.Expect(page.Locator(".summary")).ToContainTextAsync("<img src=x onerror=alert(1)>");
        await Assertions.Expect(page.Locator(".summary img")).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData("bighead", "invalid-credentials", "Connect the bank again", "Connect again")]
    [InlineData("erlich", "account-not-accessible-requires-user-action", "Log in at the bank’s own site", "Try again")]
    [InlineData("jianYang", "service-unavailable", "Wait ten minutes", "Try again")]
    public async Task A_bank_that_fails_is_named_with_its_code_and_what_to_do(string login, string code, string advice, string button)
    {
        await using var visit = await Visit.StartAsync(chromium);
        visit.Expected.Add("404 /accounts");
        await visit.CreateUserAsync();
        await visit.ConnectAsync(login);

        await visit.SeeStateAsync("jobs", "failed");
        var job = visit.Page.Locator(".job");
        await Assertions.Expect(job).ToContainTextAsync("Hooli");
        await Assertions.Expect(job.Locator("code")).ToHaveTextAsync(code);
        await Assertions.Expect(job).ToContainTextAsync(advice);
        await Assertions.Expect(job.Locator("button").First).ToHaveTextAsync(button);
    }

    [Fact]
    public async Task A_bank_that_is_tried_again_is_a_sync_of_its_own()
    {
        await using var visit = await Visit.StartAsync(chromium);
        visit.Expected.Add("404 /accounts");
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("erlich");
        await visit.SeeStateAsync("jobs", "failed");
        var first = page.Url;

        await page.Locator(".job").GetByRole(AriaRole.Button, new() { Name = "Try again: Hooli" }).ClickAsync();
        await Assertions.Expect(page).Not.ToHaveURLAsync(first);
        await visit.SeeStateAsync("jobs", "failed");
    }

    [Fact]
    public async Task A_bank_that_is_connected_again_is_mended_and_until_then_the_page_says_so_once()
    {
        await using var visit = await Visit.StartAsync(chromium);
        visit.Expected.Add("404 /accounts");
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("bighead");
        await visit.SeeStateAsync("jobs", "failed");
        await Assertions.Expect(page.Locator("#bank > header .pill")).ToHaveTextAsync("Needs you");
        await Assertions.Expect(page.Locator(".banks:not(.consents) .pill")).ToHaveTextAsync("Connect it again");
        await Assertions.Expect(page.GetByText("Connect the bank again with the right login")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator("#jobs .body button")).ToHaveCountAsync(1);
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Connect again: Hooli" })).ToHaveCountAsync(1);

        await page.GetByRole(AriaRole.Button, new() { Name = "Connect again: Hooli" }).ClickAsync();
        await visit.AgreeAsync("Whistler");

        await visit.SeeStateAsync("jobs", "done");
        await visit.SeeStateAsync("accounts", "done");
        await Assertions.Expect(page.Locator(".banks:not(.consents) li")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task One_bank_that_fails_does_not_hide_the_other()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        await visit.CreateUserAsync();
        await page.Locator("#connect-bank").ClickAsync();
        await page.Locator(".banks button", new() { HasText = "Hooli" }).ClickAsync();
        await page.Locator(".people button", new() { HasText = "tabsnotspaces" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Agree and connect another bank" }).ClickAsync();
        await page.Locator(".banks button", new() { HasText = "Kookaburra Direct" }).ClickAsync();
        await visit.AgreeAsync("jianYang");

        await visit.SeeStateAsync("jobs", "partial");
        await visit.SeeStateAsync("charts", "done");
        await Assertions.Expect(page.Locator(".job")).ToHaveCountAsync(2);
        await Assertions.Expect(page.Locator(".bank-group")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task A_sync_is_cancelled_and_says_so()
    {
        await using var visit = await Visit.StartAsync(chromium, ["Sandbox:JobsNeverEnd=true"]);
        visit.Expected.Add("404 /accounts");
        await visit.CreateUserAsync();
        await visit.ConnectAsync("Whistler");
        await Assertions.Expect(visit.Page.Locator(".job")).ToContainTextAsync("In progress");

        await visit.Page.Locator("#cancel-sync").ClickAsync();

        await Assertions.Expect(visit.Page.Locator("#jobs .pill").First).ToHaveTextAsync("Cancelled");
        await Assertions.Expect(visit.Page.Locator("#jobs-title")).ToBeFocusedAsync();
    }

    [Fact]
    public async Task A_reload_in_the_middle_and_a_second_tab_find_the_sync_where_it_is()
    {
        await using var visit = await Visit.StartAsync(chromium, ["Sandbox:JobsNeverEnd=true"]);
        visit.Expected.Add("404 /accounts");
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("Whistler");
        await Assertions.Expect(page.Locator(".job")).ToContainTextAsync("In progress");

        await page.ReloadAsync();
        await Assertions.Expect(page.Locator(".job")).ToContainTextAsync("In progress");
        var second = await visit.OpenAsync();
        await second.GotoAsync(page.Url);
        await Assertions.Expect(second.Locator(".job")).ToContainTextAsync("In progress");

        // What one tab does shows in the other.
        await second.Locator("#cancel-sync").ClickAsync();
        await Assertions.Expect(page.Locator("#jobs .pill").First).ToHaveTextAsync("Cancelled");
    }

    [Fact]
    public async Task Back_from_the_bank_leaves_the_step_as_it_was_and_cancelling_there_says_that_nothing_was_connected()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        await visit.CreateUserAsync();
        await page.Locator("#connect-bank").ClickAsync();
        await page.Locator("main .banks").WaitForAsync();

        await page.GoBackAsync();
        await page.Locator("#connect-bank").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();

        await visit.SeeAsync("No bank was connected.");
        await visit.ConnectAsync("Whistler");
        await visit.SeeStateAsync("charts", "done");
    }

    [Fact]
    public async Task Back_goes_from_one_account_to_the_one_before_and_from_the_user_to_the_form()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("richard");
        await visit.SeeStateAsync("charts", "done");
        var shown = page.Locator("#account");
        var first = await shown.InputValueAsync();
        await page.Locator("a.account").Nth(1).ClickAsync();
        await Assertions.Expect(shown).Not.ToHaveValueAsync(first);

        await page.GoBackAsync();

        await Assertions.Expect(shown).ToHaveValueAsync(first);
        await visit.UnfoldAsync("user");
        await page.GetByRole(AriaRole.Link, new() { Name = "Start with another user" }).ClickAsync();
        await page.Locator("#user-form").WaitForAsync();
        await visit.SeeStateAsync("charts", "todo");
        await page.GoBackAsync();
        await visit.SeeStateAsync("charts", "done");
    }

    [Fact]
    public async Task A_deleted_user_is_asked_for_again_and_gone_in_this_tab_and_the_next()
    {
        await using var visit = await Visit.StartAsync(chromium);
        visit.Expected.Add("404 /api/users/");
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("Whistler");
        await visit.SeeStateAsync("charts", "done");
        var address = page.Url;

        await page.Locator("#delete-user").ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Keep" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("a.account").First).ToBeVisibleAsync();
        await page.Locator("#delete-user").ClickAsync();
        await page.Locator("#really-delete").ClickAsync();

        await Assertions.Expect(page.Locator(".proof")).ToContainTextAsync("404 user-not-found");
        await Assertions.Expect(page.Locator(".proof")).ToContainTextAsync("404 no-snapshot");
        await Assertions.Expect(page.Locator(".proof .receipts")).ToContainTextAsync("because the user was deleted");
        await Assertions.Expect(page.Locator("a.account")).ToHaveCountAsync(0);
        Assert.Equal(visit.Home, page.Url);
        var second = await visit.OpenAsync();
        await second.GotoAsync(address);
        await Assertions.Expect(second.GetByText("does not exist, or not any more")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_bank_that_asks_for_a_code_is_answered_in_the_page()
    {
        await using var visit = await Visit.StartAsync(chromium, ["Sandbox:JobDuration=00:00:01"]);
        visit.Expected.Add("400 /mfa");
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("Whistler", "Bottlebrush Bank");
        var answer = page.Locator(".question input");
        await answer.FillAsync("000000");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send the answer" }).ClickAsync();
        await Assertions.Expect(page.Locator(".question .field-error")).ToHaveTextAsync("That code is not right.");
        Assert.Empty(await Axe.ViolationsAsync(page));
        await answer.FillAsync("246810");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send the answer" }).ClickAsync();

        await visit.SeeStateAsync("charts", "done");
        Assert.DoesNotContain("246810", await page.EvaluateAsync<string>("sessionStorage.getItem('calls')"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_consent_takes_the_data_with_it_and_leaves_a_receipt()
    {
        await using var visit = await Visit.StartAsync(chromium);
        visit.Expected.AddRange(["404 /accounts", "404 /syncs/"]);
        var page = visit.Page;
        await EndAtAsync(page, "**/api/users/*/consents", "standings", "endsAt", "2099-01-01T13:30:00Z");
        await EndAtAsync(page, "**/api/users/*/connections", "connections", "expiryDate", "2099-01-01T13:30:00Z");
        await visit.CreateUserAsync();
        await visit.ConnectAsync("Whistler");
        await visit.SeeStateAsync("charts", "done");

        // It is the next day in Sydney already.
        await Assertions.Expect(page.Locator("#bank .fold-line")).ToContainTextAsync("consent until 2 Jan 2099");
        await visit.UnfoldAsync("bank");
        await Assertions.Expect(page.Locator(".consents li")).ToContainTextAsync("Ends 2 Jan 2099");
        await Assertions.Expect(page.Locator(".banks:not(.consents) li")).ToContainTextAsync("Consent until 2 Jan 2099");

        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke the consent" }).ClickAsync();
        await page.Locator("#really-revoke").ClickAsync();

        await Assertions.Expect(page.Locator("#accounts .receipts")).ToContainTextAsync("because the consent was revoked");
        await Assertions.Expect(page.Locator("a.account")).ToHaveCountAsync(0);
        await Assertions.Expect(page.Locator(".consents .pill")).ToHaveTextAsync("Revoked");

        // Nothing on the page says that the bank is well when it may not be asked any more.
        await Assertions.Expect(page.Locator("#bank > header .pill")).ToHaveTextAsync("Consent ended");
        await Assertions.Expect(page.Locator(".banks:not(.consents) .pill")).ToHaveTextAsync("No consent");
        await Assertions.Expect(page.Locator("#bank-search")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_list_of_transactions_grows_as_one_scrolls_and_is_searched_and_filtered()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("gavinBelson");
        await visit.SeeStateAsync("charts", "done");
        var rows = page.Locator(".transactions tbody tr");
        await page.Locator("#account").SelectOptionAsync(new SelectOptionValue { Label = "Platinum Card · Hooli" });
        await Assertions.Expect(rows).ToHaveCountAsync(100);
        await Assertions.Expect(rows.First).ToContainTextAsync("Pending");

        await page.Locator("#transactions .more").ScrollIntoViewIfNeededAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(200);

        // It reads on by itself until it has found enough, or all there is.
        await page.Locator("#find").FillAsync("motion picture");
        await Assertions.Expect(page.Locator("#transactions [role=status]").Last).ToContainTextAsync("all there are");
        var found = page.Locator(".transactions tbody tr:visible");
        Assert.InRange(await found.CountAsync(), 1, 60);
        await Assertions.Expect(found).ToHaveCountAsync(await found.Filter(new() { HasText = "Motion Picture" }).CountAsync());

        await page.Locator("#filter-status").SelectOptionAsync("pending");
        await Assertions.Expect(page.Locator(".transactions tbody tr[data-status=posted]")).ToHaveCountAsync(0);
        Assert.Contains("status=pending", page.Url, StringComparison.Ordinal);
        await page.ReloadAsync();
        await Assertions.Expect(page.Locator("#filter-status")).ToHaveValueAsync("pending");
        await page.Locator("#filter-status").SelectOptionAsync("");
        await page.Locator("#filter-from").FillAsync(DateTime.UtcNow.AddDays(-60).ToString("yyyy-MM-dd", null));
        await page.Locator("#filter-to").FillAsync(DateTime.UtcNow.AddDays(-30).ToString("yyyy-MM-dd", null));
        await Assertions.Expect(page.Locator("#transactions [role=status]").Last).ToContainTextAsync("all there are");
        var days = await page.Locator(".transactions time").EvaluateAllAsync<string[]>("all => all.map(one => one.dateTime)");
        Assert.NotEmpty(days);
        Assert.All(days, day => Assert.InRange(DateTime.Parse(day, null), DateTime.UtcNow.Date.AddDays(-60), DateTime.UtcNow.Date.AddDays(-30)));
    }

    [Fact]
    public async Task The_function_key_is_asked_for_once_for_the_tab_and_never_shown_in_a_line()
    {
        await using var visit = await Visit.StartAsync(chromium, ["LocalHost:FunctionKey=a-key-of-ours"]);
        visit.Expected.AddRange(["401 /console/status", "401 /console/webhooks", "401 /console/notifications", "401 /api/users"]);
        var page = visit.Page;
        await page.GotoAsync(visit.Home);
        await page.Locator("#key").FillAsync("a wrong one");
        await page.Keyboard.PressAsync("Enter");
        await visit.SeeAsync("This key is not the right one.");
        await page.Locator("#key").FillAsync("a-key-of-ours");
        await page.Keyboard.PressAsync("Enter");
        await visit.CreateUserAsync();

        await Assertions.Expect(page.Locator("#key-form")).ToBeHiddenAsync();
        var lines = await page.Locator(".curl").AllTextContentsAsync();
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Contains("$FUNCTION_KEY", line, StringComparison.Ordinal));
        Assert.DoesNotContain("a-key-of-ours", await page.ContentAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_knobs_are_turned_from_the_panel_and_bad_ones_are_said_at_their_field()
    {
        await using var visit = await Visit.StartAsync(chromium);
        visit.Expected.Add("400 /console/sandbox");
        var page = visit.Page;
        await page.GotoAsync(visit.Home);
        await page.GetByLabel("Latency").FillAsync("25");
        await page.GetByLabel("500 answers").FillAsync("150");
        await page.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await Assertions.Expect(page.Locator("#shareOf500-error")).ToHaveTextAsync("must be from 0 to 1.");
        await Assertions.Expect(page.GetByLabel("500 answers")).ToHaveAttributeAsync("aria-invalid", "true");
        await page.GetByLabel("500 answers").FillAsync("0");

        // What is no number is not taken for 0.
        foreach (var typed in (string[])["", "-e"])
        {
            await page.GetByLabel("Latency").FillAsync("");
            await page.GetByLabel("Latency").PressSequentiallyAsync(typed);
            await page.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
            await Assertions.Expect(page.Locator("#latencyMilliseconds-error")).ToHaveTextAsync("Enter a number.");
            await Assertions.Expect(page.GetByLabel("Latency")).ToHaveAttributeAsync("aria-invalid", "true");
            await Assertions.Expect(page.GetByLabel("Latency")).ToBeFocusedAsync();
            await Assertions.Expect(page.GetByLabel("500 answers")).Not.ToHaveAttributeAsync("aria-invalid", "true");
        }

        await page.GetByLabel("Latency").FillAsync("25");
        await page.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await visit.SeeAsync("In force for what comes now.");

        var options = await visit.App.Sandbox.GetFromJsonAsync<JsonElement>("_sandbox/options");
        Assert.Equal("00:00:00.0250000", options.GetProperty("latency").GetString());
    }

    [Fact]
    public async Task The_panel_shows_health_the_token_s_age_and_the_syncs_as_links()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var userId = await visit.App.CreateUserAsync();
        var syncId = await visit.App.ConsentAndReturnAsync(userId, "Whistler");
        await visit.App.WaitForSyncAsync(userId, syncId);
        var page = visit.Page;
        await page.GotoAsync(visit.Home);

        await Assertions.Expect(page.Locator("#health li")).ToHaveCountAsync(7);
        await Assertions.Expect(page.Locator("#token")).ToContainTextAsync("Next refresh");
        await page.Locator("#syncs a").ClickAsync();
        await visit.SeeStateAsync("charts", "done");
        Assert.Contains(syncId, page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_that_is_copied_works_in_a_terminal()
    {
        await using var visit = await Visit.StartAsync(chromium);
        await visit.CreateUserAsync();
        await visit.Page.Locator("#user .calls summary").ClickAsync();
        var line = await visit.Page.Locator("#user .curl").Filter(new() { HasNotText = " -d '" }).First.TextContentAsync();

        var address = QuotedAddress().Match(line!).Groups[1].Value;

        Assert.StartsWith("curl ", line, StringComparison.Ordinal);
        Assert.Contains("max@hooli.com", await visit.App.Api.GetStringAsync(new Uri(address)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_reference_shows_every_function_and_its_answers()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var api = await visit.App.Api.GetFromJsonAsync<JsonElement>("openapi.json");
        var page = visit.Page;
        await page.GotoAsync(visit.Home + "reference");
        await page.Locator(".function").First.WaitForAsync();

        var operations = api.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject())
            .Where(verb => verb.Value.TryGetProperty("operationId", out _))
            .Select(verb => (Id: verb.Value.GetProperty("operationId").GetString()!, Answers: verb.Value.GetProperty("responses").EnumerateObject().Count()));
        Assert.NotEmpty(operations);
        foreach (var (id, answers) in operations)
        {
            await Assertions.Expect(page.Locator($"#{id} h3")).ToHaveTextAsync(id);
            await Assertions.Expect(page.Locator($"#{id} .answers > li")).ToHaveCountAsync(answers);
        }

        await Assertions.Expect(page.Locator("#CreateUser")).ToContainTextAsync("idempotency-key-reused");
        await Assertions.Expect(page.Locator("#GetSync")).ToContainTextAsync("waiting-for-bank");
    }

    [Theory]
    [InlineData("")]
    [InlineData("reference")]
    public async Task A_first_visit_loads_less_than_150_kB_and_nothing_jumps(string path)
    {
        await using var visit = await Visit.StartAsync(chromium);
        await visit.Page.AddInitScriptAsync(
            "window.shift = 0; window.shifted = ''; new PerformanceObserver(list => { for (const entry of list.getEntries()) { window.shift += entry.value; "
            + "for (const source of entry.sources) window.shifted += `${source.node?.id || source.node?.outerHTML?.slice(0, 80)} from ${source.previousRect.y} to ${source.currentRect.y}; `; } })"
            + ".observe({ type: 'layout-shift', buffered: true });");
        await visit.Page.GotoAsync(visit.Home + path, new() { WaitUntil = WaitUntilState.NetworkIdle });
        await visit.Page.Locator(path.Length == 0 ? "#sandbox form" : ".function").First.WaitForAsync();

        var bytes = 0;
        foreach (var response in visit.Responses)
        {
            var sizes = await response.Request.SizesAsync();
            bytes += sizes.ResponseBodySize + sizes.ResponseHeadersSize;
        }

        Assert.InRange(bytes, 5_000, 150_000);
        var shift = await visit.Page.EvaluateAsync<double>("window.shift");
        Assert.True(shift <= 0.1, $"{shift}: {await visit.Page.EvaluateAsync<string>("window.shifted")}");
    }

    [Fact]
    public async Task A_page_that_asks_another_machine_fails_its_test()
    {
        var visit = await Visit.StartAsync(chromium);
        await visit.Page.EvaluateAsync("fetch('http://elsewhere.test/bank').catch(() => {})");

        var failure = await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(async () => await visit.DisposeAsync());

        Assert.Contains("asked http://elsewhere.test/bank", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Lets all that a list of the API's answers with end at one moment.</summary>
    private static Task EndAtAsync(IPage page, string url, string list, string name, string moment) => page.RouteAsync(url, async route =>
    {
        var answer = await route.FetchAsync();
        var body = JsonNode.Parse(await answer.TextAsync())!;
        foreach (var one in body[list]?.AsArray() ?? [])
            one![name] = moment;
        await route.FulfillAsync(new() { Response = answer, Body = body.ToJsonString() });
    });

    /// <summary>Presses Tab until the focus is there, and says how often.</summary>
    private static async Task<int> TabToAsync(IPage page, string selector)
    {
        for (var presses = 1; presses <= 120; presses++)
        {
            await page.Keyboard.PressAsync("Tab");
            if (await page.EvaluateAsync<bool>("selector => document.activeElement.matches(selector)", selector))
                return presses;
        }

        throw new InvalidOperationException($"Tab does not reach {selector}.");
    }

    private static decimal Amount(string text) =>
        decimal.Parse(text.Replace('−', '-').Replace("$", "", StringComparison.Ordinal), System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex("^\\d+ accounts and [\\d,]+ transactions from 1 bank$")]
    private static partial Regex FoldedSync();

    [GeneratedRegex("'(http[^']+)'")]
    private static partial Regex QuotedAddress();
}
