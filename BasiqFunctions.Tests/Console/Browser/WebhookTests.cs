using System.Net.Http.Json;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Playwright;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>Incoming webhooks appear in the page by themselves, and what they bring about does.</summary>
[Trait("Category", "Browser")]
[Collection(InBrowser.Name)]
public sealed class WebhookTests(Chromium chromium)
{
    private const string Feed = "**/console/webhooks";

    [Fact]
    public async Task A_consent_that_is_revoked_in_another_tab_shows_its_webhook_and_the_receipt_by_itself()
    {
        await using var visit = await Visit.StartAsync(chromium, ["LocalHost:SubscribeToSandbox=true"]);
        visit.Expected.AddRange(["404 /accounts", "404 /syncs/"]);
        var page = visit.Page;
        await page.GotoAsync(visit.Home);
        await Assertions.Expect(page.Locator("#webhooks-none")).ToContainTextAsync("Basiq sends one when a bank is connected");
        await visit.CreateUserAsync();
        await visit.ConnectAsync("Whistler");
        await visit.SeeStateAsync("charts", "done");
        await Assertions.Expect(page.Locator("#webhooks-list .hook", new() { HasText = "transactions.updated" })).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator("#webhooks-none")).ToBeEmptyAsync();

        // A row that is open stays open when others come.
        var opened = page.Locator("#webhooks-list .hook", new() { HasText = "connection.activated" });
        await opened.Locator("summary").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(opened.Locator(".hook-facts")).ToContainTextAsync("Connection");

        var tab = await visit.OpenAsync();
        await tab.GotoAsync(page.Url);
        await tab.Locator("#bank > header button").ClickAsync();
        await tab.GetByRole(AriaRole.Button, new() { Name = "Manage the consent" }).ClickAsync();
        await tab.Locator("[name=revoke]").ClickAsync();
        await tab.Locator(".notice").WaitForAsync();

        var told = page.Locator("#webhooks-list .hook", new() { HasText = "consent.revoked" });
        await Assertions.Expect(told).ToContainTextAsync("Removed the data; a receipt stays.");
        await Assertions.Expect(page.Locator("#accounts")).ToContainTextAsync("The consent has ended");
        await Assertions.Expect(page.Locator("#accounts .receipts")).ToContainTextAsync("because the consent was revoked");
        await Assertions.Expect(page.Locator("a.account")).ToHaveCountAsync(0);
        await Assertions.Expect(page.Locator(".consents .pill")).ToHaveTextAsync("Revoked");
        await Assertions.Expect(page.Locator("#webhooks-news")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("webhook"));
        await Assertions.Expect(opened.Locator("details")).ToHaveAttributeAsync("open", "");
        await Assertions.Expect(opened.Locator("summary")).ToBeFocusedAsync();

        // It names whose consent it was, and by which message it came.
        await told.Locator("summary").ClickAsync();
        var userId = System.Web.HttpUtility.ParseQueryString(new Uri(page.Url).Query)["userId"]!;
        await Assertions.Expect(told.Locator(".hook-facts a")).ToHaveTextAsync(userId);
        var subscription = await visit.App.Api.GetFromJsonAsync<System.Text.Json.JsonElement>("webhooks/basiq/subscription");
        var message = subscription.GetProperty("deliveries").EnumerateArray().Single(d => d.GetProperty("eventTypeId").GetString() == "consent.revoked");
        await Assertions.Expect(told.Locator(".hook-facts")).ToContainTextAsync(message.GetProperty("messageId").GetString()!);

        // Back from there nothing is said of a bank that was not connected.
        await tab.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await tab.Locator("#accounts .receipts").WaitForAsync();
        await Assertions.Expect(tab.GetByText("No bank was connected")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_page_that_nobody_sees_asks_nothing_and_looks_at_once_when_it_is_seen_again()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        var asked = 0;
        page.Request += (_, request) => asked += request.Url.EndsWith("/console/webhooks", StringComparison.Ordinal) ? 1 : 0;
        await page.AddInitScriptAsync(
            "window.unseen = false; Object.defineProperty(document, 'hidden', { get: () => window.unseen });"
            + "window.see = seen => { window.unseen = !seen; document.dispatchEvent(new Event('visibilitychange')); };");
        await page.Clock.InstallAsync();
        await page.GotoAsync(visit.Home);
        await Assertions.Expect(page.Locator("#webhooks-live")).ToHaveTextAsync("Live");
        await page.RunAndWaitForResponseAsync(() => page.Clock.RunForAsync(1000), Feed);

        await page.EvaluateAsync("see(false)");
        await page.Clock.RunForAsync(1000);
        var before = asked;
        await page.Clock.RunForAsync(60_000);
        Assert.Equal(before, asked);
        await page.RunAndWaitForResponseAsync(() => page.EvaluateAsync("see(true)"), Feed);
        Assert.Equal(before + 1, asked);
    }

    [Fact]
    public async Task An_app_without_a_subscription_and_a_host_in_trouble_say_so()
    {
        await using var visit = await Visit.StartAsync(chromium);
        visit.Expected.Add("503 /console/webhooks");
        var page = visit.Page;
        await page.GotoAsync(visit.Home);
        await Assertions.Expect(page.Locator("#webhooks-none")).ToContainTextAsync("the app has no subscription");

        await page.RouteAsync(Feed, route => route.FulfillAsync(new()
        {
            Status = 503,
            ContentType = "application/problem+json",
            Body = """{"code":"dependency-unavailable","detail":"The journal cannot be read."}""",
        }));
        await Assertions.Expect(page.Locator("#webhooks-trouble")).ToContainTextAsync("The journal cannot be read. Asking again every 4 s.");
        await Assertions.Expect(page.Locator("#webhooks-live")).ToHaveTextAsync("Stopped");

        await page.UnrouteAsync(Feed);
        await visit.App.SubscribeAsync();
        await Assertions.Expect(page.Locator("#webhooks-live")).ToHaveTextAsync("Live");
        await Assertions.Expect(page.Locator("#webhooks-trouble")).ToBeEmptyAsync();
        await Assertions.Expect(page.Locator("#webhooks-none")).ToContainTextAsync("each appears here by itself");
    }
}
