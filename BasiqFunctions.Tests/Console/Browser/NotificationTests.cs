using System.Net;
using System.Net.Http.Json;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Playwright;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>What the app tells a team's backend is in the page, and so is a message that arrives at this host.</summary>
[Trait("Category", "Browser")]
[Collection(InBrowser.Name)]
public sealed class NotificationTests(Chromium chromium)
{
    [Fact]
    public async Task A_host_that_subscribes_to_itself_shows_what_arrives_and_every_delivery()
    {
        await using var visit = await Visit.StartAsync(chromium);
        var page = visit.Page;
        await page.GotoAsync(visit.Home);
        await Assertions.Expect(page.Locator("#notifications-form")).ToContainTextAsync("Nobody is told yet");

        // A receiver that is away, and of which the page did not know: its deliveries will wait, with their attempts.
        using var away = await visit.App.Api.PutAsJsonAsync(
            "notifications/subscription?name=away", new { url = $"http://127.0.0.1:{FreePort.Find()}/", events = (string[])["data.removed"] });
        Assert.Equal(HttpStatusCode.OK, away.StatusCode);
        await Assertions.Expect(page.Locator("#notifications-form")).ToContainTextAsync("Other receivers are told");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send them here" }).ClickAsync();
        await Assertions.Expect(page.Locator("#notifications-news")).ToHaveTextAsync("Subscribed.");
        var test = page.GetByRole(AriaRole.Button, new() { Name = "Send a test message" });
        await Assertions.Expect(test).ToBeFocusedAsync();
        await test.ClickAsync();
        await Assertions.Expect(page.Locator("#notifications-news")).ToHaveTextAsync("Delivered.");
        await Assertions.Expect(page.Locator("#notifications-received")).ToContainTextAsync("its signature is genuine");
        await Assertions.Expect(page.Locator("#notifications-received pre")).ToContainTextAsync("\"notification.test\"");

        await visit.CreateUserAsync();
        await visit.ConnectAsync("Whistler");
        await visit.SeeStateAsync("charts", "done");
        var ended = page.Locator("#notifications-list .hook", new() { HasText = "sync.ended" });
        await Assertions.Expect(ended).ToContainTextAsync("Delivered.");
        await ended.Locator("summary").ClickAsync();
        await Assertions.Expect(ended.Locator(".hook-facts")).ToContainTextAsync("Last attempt");
        await Assertions.Expect(page.Locator("#notifications-received pre")).ToContainTextAsync("\"sync.ended\"");

        var userId = System.Web.HttpUtility.ParseQueryString(new Uri(page.Url).Query)["userId"]!;
        visit.Expected.AddRange(["404 /", "410 /"]);
        using var deleted = await visit.App.Api.DeleteAsync(new Uri($"users/{userId}", UriKind.Relative));
        Assert.True(deleted.IsSuccessStatusCode);
        var waiting = page.Locator("#notifications-list .hook", new() { HasText = "to away" });
        await Assertions.Expect(waiting).ToContainTextAsync("connection-failed");

        await page.GetByRole(AriaRole.Button, new() { Name = "Unsubscribe" }).ClickAsync();
        await Assertions.Expect(page.Locator("#notifications-form")).ToContainTextAsync("Other receivers are told");
    }

    [Fact]
    public async Task A_message_that_nobody_signed_does_not_arrive()
    {
        await using var app = await AppUnderTest.StartAsync();
        var url = new Uri(app.Api.BaseAddress!, "/console/notifications");
        using var subscribed = await app.Api.PutAsJsonAsync("notifications/subscription?name=console", new { url });
        Assert.Equal(HttpStatusCode.OK, subscribed.StatusCode);
        using var forged = new HttpRequestMessage(HttpMethod.Post, url) { Content = JsonContent.Create(new { type = "data.changed" }) };
        forged.Headers.Add("webhook-id", "msg_1");
        forged.Headers.Add("webhook-timestamp", $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}");
        forged.Headers.Add("webhook-signature", $"v1,{Convert.ToBase64String(new byte[32])}");
        using var refused = await app.Api.SendAsync(forged);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        var shown = await app.Api.GetFromJsonAsync<System.Text.Json.JsonElement>(url);
        Assert.Equal(0, shown.GetProperty("received").GetArrayLength());
    }
}
