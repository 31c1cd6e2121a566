using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using BasiqFunctions.Tests.Documentation;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Playwright;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>The documents' pictures show the pages as they are: with UPDATE_SCREENSHOTS=1 this takes them, else it tells stale ones.</summary>
[Trait("Category", "Browser")]
[Collection(InBrowser.Name)]
public sealed partial class ScreenshotTests(Chromium chromium)
{
    private static readonly string Docs = Path.Combine(Repository.Root, "docs");
    private static readonly string DigestFile = Path.Combine(Docs, "screenshots.sha256");

    [Fact]
    public async Task The_pictures_of_the_documents_are_of_the_pages_as_they_are()
    {
        if (Environment.GetEnvironmentVariable("UPDATE_SCREENSHOTS") == "1")
        {
            Directory.CreateDirectory(Docs);
            await TakeAsync(ColorScheme.Light, "accounts", "console-light.png");
            await TakeAsync(ColorScheme.Dark, "charts", "console-dark.png");
            await TakeNarrowAsync(ColorScheme.Light, "accounts", "console-narrow-light.png");
            await TakeNarrowAsync(ColorScheme.Dark, "bank", "console-narrow-dark.png");
            await TakeRevokedAsync("console-revoked.png");
            await TakeReportAsync("console-report.png");
            await TakeConsentPageAsync("consent-page.png");
            await File.WriteAllTextAsync(DigestFile, await DigestAsync() + "\n");
        }

        Assert.True(
            File.Exists(DigestFile) && (await File.ReadAllTextAsync(DigestFile)).Trim() == await DigestAsync(),
            "The pages have changed since the pictures in docs/ were taken: UPDATE_SCREENSHOTS=1 dotnet test --filter ScreenshotTests");
        string[] names =
        [
            "console-light.png", "console-dark.png", "console-narrow-light.png", "console-narrow-dark.png", "console-revoked.png", "console-report.png",
            "consent-page.png",
        ];
        foreach (var name in names)
        {
            Assert.Contains($"]({name})", DocumentTests.Page("local-development"), StringComparison.Ordinal);
            Assert.InRange(new FileInfo(Path.Combine(Docs, name)).Length, 10_000, 250_000);
        }
    }

    private async Task TakeAsync(ColorScheme scheme, string step, string name)
    {
        await using var visit = await ConnectedAsync(scheme);
        await visit.Page.Locator($"#{step}").EvaluateAsync("step => step.scrollIntoView()");
        await ShootAsync(visit.Page, name);
    }

    /// <summary>As on a phone: a step of the journey, or the choice of a bank.</summary>
    private async Task TakeNarrowAsync(ColorScheme scheme, string step, string name)
    {
        await using var visit = await Visit.StartAsync(chromium, ["Sandbox:JobDuration=00:00:02"], Window(scheme, 390));
        await visit.CreateUserAsync();
        if (step is not "bank")
        {
            await visit.ConnectAsync("gavinBelson");
            await visit.SeeStateAsync("charts", "done");
        }

        await visit.Page.Locator($"#{step}").EvaluateAsync("step => step.scrollIntoView()");
        await ShootAsync(visit.Page, name);
    }

    private async Task TakeRevokedAsync(string name)
    {
        await using var visit = await ConnectedAsync(ColorScheme.Light);
        visit.Expected.AddRange(["404 /accounts", "404 /syncs/"]);
        var page = await visit.OpenAsync();
        await page.GotoAsync(visit.Page.Url);
        await page.Locator("#bank > header button").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Manage the consent" }).ClickAsync();
        await page.Locator("[name=revoke]").ClickAsync();
        await visit.Page.Locator("#accounts .receipts").WaitForAsync();
        await Assertions.Expect(visit.Page.Locator("#webhooks-list .hook")).ToHaveCountAsync(5);
        await visit.Page.Locator("#jobs").EvaluateAsync("step => step.scrollIntoView()");
        await ShootAsync(visit.Page, name);
    }

    private async Task TakeReportAsync(string name)
    {
        await using var visit = await ConnectedAsync(ColorScheme.Light);
        await visit.Page.Locator("#ask-report").ClickAsync();
        await visit.SeeStateAsync("reports", "done");
        await visit.Page.Locator("#reports").EvaluateAsync("step => step.scrollIntoView()");
        await ShootAsync(visit.Page, name);
    }

    /// <summary>A user whose bank has been read, at a host that is told by webhooks.</summary>
    private async Task<Visit> ConnectedAsync(ColorScheme scheme)
    {
        var visit = await Visit.StartAsync(chromium, ["Sandbox:JobDuration=00:00:02", "LocalHost:SubscribeToSandbox=true"], Window(scheme));
        await visit.Page.GotoAsync(visit.Home);
        await visit.SeeAsync("Basiq sends one when");
        await visit.CreateUserAsync();
        await visit.ConnectAsync("gavinBelson");
        await visit.SeeStateAsync("charts", "done");
        await visit.Page.Locator("#sandbox form").WaitForAsync();
        await Assertions.Expect(visit.Page.Locator("#webhooks-list .hook")).ToHaveCountAsync(3);
        return visit;
    }

    private async Task TakeConsentPageAsync(string name)
    {
        await using var visit = await Visit.StartAsync(chromium, options: Window(ColorScheme.Light));
        await visit.CreateUserAsync();
        await visit.Page.Locator("#connect-bank").ClickAsync();
        await visit.Page.Locator(".banks button", new() { HasText = "Hooli" }).ClickAsync();
        await visit.Page.Locator(".people button", new() { HasText = "hooli2016" }).ClickAsync();
        await visit.Page.Locator(".notice").WaitForAsync();
        await ShootAsync(visit.Page, name);
    }

    private static BrowserNewContextOptions Window(ColorScheme scheme, int width = 1280) => new()
    {
        ColorScheme = scheme,
        ReducedMotion = ReducedMotion.Reduce,
        ViewportSize = new ViewportSize { Width = width, Height = 940 },
    };

    private static Task ShootAsync(IPage page, string name) =>
        page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Docs, name), Animations = ScreenshotAnimations.Disabled });

    /// <summary>Of everything that gives the pages their looks: the console's files, the consent page's markup and its style.</summary>
    private static async Task<string> DigestAsync()
    {
        await using var app = await AppUnderTest.StartAsync();
        var link = await app.CreateConsentLinkAsync(await app.CreateUserAsync(), new { institutionId = "AU00000" });
        var page = Changing().Replace(await app.Api.GetStringAsync(link), "");
        var style = await app.Sandbox.GetStringAsync("home/style.css");
        var files = Directory.GetFiles(Path.Combine(Repository.Root, "BasiqFunctions.LocalHost", "Console", "Assets"))
            .Order(StringComparer.Ordinal)
            .Select(file => $"{Path.GetFileName(file)}\n{File.ReadAllText(file)}");
        var all = string.Concat([.. files, style, page]).ReplaceLineEndings("\n");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)));
    }

    /// <summary>Tokens and states, and the day on which the consent would end.</summary>
    [GeneratedRegex("value=\"[^\"]*\"|Until \\d+ \\w+ \\d{4}")]
    private static partial Regex Changing();
}
