using Microsoft.Playwright;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>axe finds nothing to complain of, on any page, in either theme, on a large screen and on the smallest.</summary>
[Trait("Category", "Browser")]
[Collection(InBrowser.Name)]
public sealed class AccessibilityTests(Chromium chromium)
{
    private static readonly (ColorScheme Scheme, int Width)[] Looks =
        [(ColorScheme.Dark, 390), (ColorScheme.Light, 320), (ColorScheme.Light, 1280)];

    /// <summary>What reaches out of the window, when the page can be moved sideways; what is moved in a box of its own does not.</summary>
    private const string TooWide =
        """
        width => {
          const isBoxed = one => one !== document.body && (getComputedStyle(one).overflowX !== 'visible' || isBoxed(one.parentElement));
          return document.documentElement.scrollWidth <= width ? [] : [...document.querySelectorAll('body *')]
            .filter(one => one.getBoundingClientRect().right > width && !isBoxed(one.parentElement))
            .map(one => one.cloneNode(false).outerHTML);
        }
        """;

    [Fact]
    public async Task Every_page_that_needs_no_user_is_accessible()
    {
        await using var visit = await StartAsync("400 /api/users", "400 /home", "401 /home", "404 /no-such-page", "400 /api/consent/return");
        var page = visit.Page;

        await page.GotoAsync(visit.Home);
        await page.Locator("#sandbox form").WaitForAsync();
        await CheckAsync(visit, "the first page");
        await page.Locator("#create-user").ClickAsync();
        await page.Locator("[aria-invalid=true]").WaitForAsync();
        await CheckAsync(visit, "a form with mistakes");
        await page.GotoAsync(visit.Home + "reference");
        await page.Locator(".function").First.WaitForAsync();
        await page.EvaluateAsync("document.querySelectorAll('details').forEach(one => one.open = true)");
        await CheckAsync(visit, "the reference");

        await page.GotoAsync(new Uri(visit.App.Sandbox.BaseAddress!, "home").ToString());
        await CheckAsync(visit, "the consent page without a token");

        await page.GotoAsync(visit.Home + "no-such-page");
        await CheckAsync(visit, "the page for an address without one");

        await page.GotoAsync(visit.Home + "api/consent/return?state=forged&jobIds=a");
        await page.GetByRole(AriaRole.Heading, new() { Name = "This link no longer works" }).WaitForAsync();
        await CheckAsync(visit, "the page of a consent that cannot be taken");
    }

    [Fact]
    public async Task Every_page_on_the_way_to_the_transactions_is_accessible()
    {
        await using var visit = await StartAsync("400 /home", "401 /home", "404 /accounts");
        var page = visit.Page;

        await visit.CreateUserAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Send them here" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Send a test message" }).ClickAsync();
        await page.Locator("#notifications-received pre").WaitForAsync();
        await CheckAsync(visit, "the bank picker");
        await page.Locator("#connect-bank").ClickAsync();
        await page.Locator("main .banks").WaitForAsync();
        await CheckAsync(visit, "the consent page's banks");
        await page.Locator(".banks button", new() { HasText = "Hooli" }).ClickAsync();
        await page.Locator("#loginId").WaitForAsync();
        await CheckAsync(visit, "the bank's log-in");
        await page.Locator("#loginId").FillAsync("nobody");
        await page.Locator("#password").FillAsync("wrong");
        await page.GetByRole(AriaRole.Button, new() { Name = "Agree and finish" }).ClickAsync();
        await page.Locator(".error").WaitForAsync();
        await CheckAsync(visit, "a log-in that is refused");
        await page.Locator(".people button", new() { HasText = "hooli2016" }).ClickAsync();
        await page.Locator(".notice").WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Agree and connect another bank" }).ClickAsync();
        await page.Locator(".connected").WaitForAsync();
        await CheckAsync(visit, "the picker for another bank");
        await page.Locator(".banks button", new() { HasText = "Kookaburra Direct" }).ClickAsync();
        await visit.AgreeAsync("jianYang");
        await visit.SeeStateAsync("jobs", "partial");
        await visit.SeeStateAsync("charts", "done");
        await Assertions.Expect(page.Locator("#webhooks-list .hook")).Not.ToHaveCountAsync(0);
        await CheckAsync(visit, "the whole journey, folded");
        await UnfoldAsync(page);
        await page.EvaluateAsync("document.querySelectorAll('details').forEach(one => one.open = true)");
        await CheckAsync(visit, "the whole journey");
    }

    [Fact]
    public async Task Every_report_is_accessible()
    {
        await using var visit = await StartAsync("404 /accounts", "404 /syncs/");
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("gavinBelson");
        await visit.SeeStateAsync("charts", "done");

        foreach (var kind in (string[])["What the person can afford", "Statement of"])
        {
            var option = page.Locator("#report-kind option", new() { HasText = kind }).First;
            await page.Locator("#report-kind").SelectOptionAsync(new SelectOptionValue { Value = await option.GetAttributeAsync("value") });
            await page.Locator("#ask-report").ClickAsync();
            await Assertions.Expect(page.Locator("#reports .report h3")).ToBeFocusedAsync(new() { Timeout = 30_000 });
            await page.EvaluateAsync("document.querySelectorAll('#reports details').forEach(one => one.open = true)");
            await CheckAsync(visit, $"the report '{kind}'");
        }
    }

    [Fact]
    public async Task Every_page_from_disconnecting_to_the_deletion_is_accessible()
    {
        await using var visit = await StartAsync("404 /accounts", "404 /api/users/", "404 /syncs/");
        var page = visit.Page;
        await visit.CreateUserAsync();
        await visit.ConnectAsync("gavinBelson");
        await visit.SeeStateAsync("charts", "done");

        await page.Locator("a.account").First.WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Disconnect Hooli" }).ClickAsync();
        await page.Locator("#really-disconnect").WaitForAsync();
        await CheckAsync(visit, "the question before disconnecting");
        await page.GetByRole(AriaRole.Button, new() { Name = "Keep" }).ClickAsync();
        await UnfoldAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Manage the consent" }).ClickAsync();
        await page.Locator("[name=revoke]").WaitForAsync();
        await CheckAsync(visit, "the manage page");
        await page.Locator("[name=extend]").ClickAsync();
        await page.Locator(".notice").WaitForAsync();
        await CheckAsync(visit, "the manage page after extending");
        await page.Locator("[name=revoke]").ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Revoked" }).WaitForAsync();
        await CheckAsync(visit, "the manage page after revoking");
        await page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await page.Locator("#accounts .receipts").WaitForAsync();
        await CheckAsync(visit, "the page after revoking");

        await page.Locator("#delete-user").ClickAsync();
        await page.Locator("#really-delete").WaitForAsync();
        await CheckAsync(visit, "the question before deleting");
        await page.Locator("#really-delete").ClickAsync();
        await page.Locator(".proof").WaitForAsync();
        await CheckAsync(visit, "the page after deleting");
    }

    [Fact]
    public async Task A_page_with_faults_is_complained_of()
    {
        await using var visit = await Visit.StartAsync(chromium);
        await visit.Page.SetContentAsync("<html><body><img src='data:,'><p style='color:#ccc;background:#fff'>Faint</p></body></html>");

        var violations = await Axe.ViolationsAsync(visit.Page);

        Assert.Contains(violations, violation => violation.StartsWith("image-alt: ", StringComparison.Ordinal));
        Assert.StartsWith("color-contrast: ", Assert.Single(await Axe.ViolationsAsync(visit.Page, "color-contrast")), StringComparison.Ordinal);
    }

    private Task<Visit> StartAsync(params string[] expected) => Visit.StartAsync(
        chromium,
        ["LocalHost:SubscribeToSandbox=true"],
        new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1280, Height = 900 }, ReducedMotion = ReducedMotion.Reduce },
        expected);

    private static Task UnfoldAsync(IPage page) =>
        page.EvaluateAsync("document.querySelectorAll('.step > header button[aria-expanded=false]:not([hidden])').forEach(one => one.click())");

    /// <summary>All rules on the large and the smallest screen; colours, the only thing that a theme changes, in the other theme as well.</summary>
    private static async Task CheckAsync(Visit visit, string what)
    {
        foreach (var (scheme, width) in Looks)
        {
            await visit.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
            await visit.Page.SetViewportSizeAsync(width, 900);
            var violations = await Axe.ViolationsAsync(visit.Page, scheme is ColorScheme.Dark ? "color-contrast" : null);
            Assert.True(violations.Length == 0, $"On {what}, {scheme}, {width} wide: {string.Join("; ", violations)}");
            var wide = await visit.Page.EvaluateAsync<string[]>(TooWide, width);
            Assert.True(wide.Length == 0, $"{what} is wider than a window of {width}: {string.Join("; ", wide)}");
        }
    }
}
