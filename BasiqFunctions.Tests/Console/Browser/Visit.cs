using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using BasiqFunctions.Sandbox.Users;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Playwright;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>
/// A person at a browser, in front of an app of its own. Whatever the browser asks of another machine, logs as an error, or refuses by
/// the page's policy fails the test at the end.
/// </summary>
internal sealed class Visit : IAsyncDisposable
{
    private const float Patience = 60_000;

    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly ConcurrentQueue<IResponse> _responses = new();

    private Visit(AppUnderTest app, IBrowserContext context)
    {
        App = app;
        _context = context;
    }

    public AppUnderTest App { get; }

    public IPage Page { get; private set; } = null!;

    public IBrowserContext Context => _context;

    public IReadOnlyCollection<IResponse> Responses => _responses;

    /// <summary>The console's address, with the slash.</summary>
    public string Home => new Uri(App.Api.BaseAddress!, "/").ToString();

    /// <summary>Answers of the API that the test brings about, such as <c>404 /accounts</c>: browsers log them as errors.</summary>
    /// <remarks>The page follows what changes, and may ask once more when everything has gone.</remarks>
    public List<string> Expected { get; } = ["404 /changes"];

    public static async Task<Visit> StartAsync(
        Chromium chromium, IEnumerable<string>? settings = null, BrowserNewContextOptions? options = null, params string[] expected)
    {
        var app = await AppUnderTest.StartAsync(settings);
        var context = await chromium.Instance.NewContextAsync(
            options ?? new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1280, Height = 900 }, ReducedMotion = ReducedMotion.Reduce });
        context.SetDefaultTimeout(Patience);
        var visit = new Visit(app, context);
        visit.Expected.AddRange(expected);
        visit.Watch();
        visit.Page = await visit.OpenAsync();
        return visit;
    }

    /// <summary>Another tab of the same browser.</summary>
    public async Task<IPage> OpenAsync()
    {
        var page = await _context.NewPageAsync();
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !Expected.Any(expected => IsExpected(message, expected)))
                _complaints.Enqueue($"{message.Text} ({message.Location})");
        };
        page.PageError += (_, error) => _complaints.Enqueue(error);
        page.Response += (_, response) => _responses.Enqueue(response);
        return page;
    }

    /// <summary>Creates a user with the form, as whoever never read anything would.</summary>
    public async Task CreateUserAsync()
    {
        await Page.GotoAsync(Home);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Fill in an example" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Create the user" }).ClickAsync();
        await Page.Locator("#connect-bank").WaitForAsync();
    }

    /// <summary>Chooses a bank, leaves for the consent page, logs in with a click on a test user, agrees and comes back.</summary>
    public async Task ConnectAsync(string login, string bank = "Hooli")
    {
        if (await Page.Locator(".another:not([open]) summary").CountAsync() > 0)
            await Page.Locator(".another summary").ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = $"Connect {bank}", Exact = true }).ClickAsync();
        await AgreeAsync(login);
    }

    /// <summary>Opens a step that has folded itself.</summary>
    public async Task UnfoldAsync(string step)
    {
        await Assertions.Expect(Page.Locator($"#{step}")).ToHaveAttributeAsync("data-folded", "");
        await Page.Locator($"#{step} > header button").ClickAsync();
    }

    /// <summary>On the consent page's log-in.</summary>
    public async Task AgreeAsync(string login)
    {
        await Page.Locator(".people button", new() { HasText = TestUsers.Find(login)!.Password }).ClickAsync();
        await Assertions.Expect(Page.Locator("#loginId")).ToHaveValueAsync(login);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Agree and finish" }).ClickAsync();
        await Assertions.Expect(Page).ToHaveURLAsync(new Regex($"^{Regex.Escape(Home)}.*syncId="));
    }

    /// <summary>Waits until a step says of itself how it stands.</summary>
    public Task SeeStateAsync(string step, string state) =>
        Assertions.Expect(Page.Locator($"#{step}")).ToHaveAttributeAsync("data-state", state, new() { Timeout = Patience });

    public Task SeeAsync(string text) => Assertions.Expect(Page.GetByText(text).First).ToBeVisibleAsync(new() { Timeout = Patience });

    public async ValueTask DisposeAsync()
    {
        await _context.CloseAsync();
        await App.DisposeAsync();
        Assert.True(_complaints.IsEmpty, string.Join("; ", _complaints));
    }

    private static bool IsExpected(IConsoleMessage message, string expected)
    {
        var (status, path) = (expected[..3], expected[4..]);
        return message.Text.Contains($"status of {status}", StringComparison.Ordinal) && message.Location.Contains(path, StringComparison.Ordinal);
    }

    private void Watch()
    {
        int[] own = [App.Api.BaseAddress!.Port, App.Sandbox.BaseAddress!.Port];
        _context.Request += (_, request) =>
        {
            var url = new Uri(request.Url);
            if (!url.IsLoopback || !own.Contains(url.Port))
                _complaints.Enqueue($"asked {url}");
        };
    }
}
