using System.Globalization;
using System.Net;
using BasiqFunctions.Sandbox.Users;
using BasiqFunctions.Sync;
using Microsoft.DurableTask.Client;
using Spectre.Console;

namespace BasiqFunctions.LocalHost.Demo;

/// <summary>Walks the whole quickstart in the terminal, through the same HTTP functions that a front end would call.</summary>
internal sealed class DemoCommand(LocalHostApplication host, string login, IAnsiConsole console) : IDisposable
{
    /// <summary>The exit code of a program that Ctrl-C ended, as shells have it.</summary>
    private const int InterruptedByUser = 130;

    private static readonly TimeSpan StatusInterval = TimeSpan.FromMilliseconds(500);

    private readonly HttpClient _api = new(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(host.Url, "api/") };

    /// <summary>Runs the demo on a host of its own.</summary>
    /// <param name="login">The test user who logs in at the bank.</param>
    /// <param name="settings">Settings of the host, as arguments.</param>
    /// <returns>0 when accounts were fetched, 1 when the bank or Basiq did not give them.</returns>
    public static async Task<int> RunAsync(string login, string[] settings)
    {
        var state = Path.Combine(Path.GetTempPath(), $"basiq-functions-demo-{Guid.NewGuid():N}");
        try
        {
            await using var host = await LocalHostApplication.StartAsync(
                settings,
                builder => builder.Logging.SetMinimumLevel(LogLevel.Error),
                defaults: new Dictionary<string, string?> { ["LocalHost:StateDirectory"] = state },
                sandboxDefaults: new Dictionary<string, string?>
                {
                    // Any port will do, so that a host that runs already is not in the way.
                    ["urls"] = "http://127.0.0.1:0",
                    ["Sandbox:Url"] = "http://127.0.0.1:0",
                    ["LocalHost:SubscribeToSandbox"] = "false",
                },
                passesOverSample: true);
            foreach (var (dependency, address) in Surroundings.Of(host))
            {
                if (await Surroundings.FindTroubleAsync(dependency, address) is { } trouble)
                    throw new LocalHostException(trouble);
            }

            using var demo = new DemoCommand(host, login, AnsiConsole.Console);
            try
            {
                return await demo.RunAsync().WaitAsync(host.Stopping);
            }
            catch (OperationCanceledException) when (host.Stopping.IsCancellationRequested)
            {
                return InterruptedByUser;
            }
        }
        catch (DemoException exception)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{exception.Message}[/]");
            return 1;
        }
        finally
        {
            if (Directory.Exists(state))
                Directory.Delete(state, recursive: true);
        }
    }

    public void Dispose() => _api.Dispose();

    private async Task<int> RunAsync()
    {
        console.Write(new Rule("[bold]Basiq quickstart[/]").LeftJustified());
        console.MarkupLineInterpolated(
            $"[grey]{(host.SandboxUrl is null ? "With your Basiq account" : $"Basiq is simulated at {host.SandboxUrl}")}[/]");
        console.WriteLine();

        var userId = await CreateUserAsync();
        await MintClientTokenAsync(userId);
        var sync = host.SandboxUrl is null ? await WaitForConsentAsync(userId) : await ConsentAtSandboxAsync(userId);
        var ended = await WatchAsync(userId, sync);
        var fetched = ended.Status is SyncState.Completed or SyncState.Partial;
        if (fetched)
            await ShowAccountsAsync(userId);
        Explain(ended);
        return ended.Status is SyncState.Completed ? 0 : 1;
    }

    private async Task<string> CreateUserAsync()
    {
        using var answer = await _api.PostAsJsonAsync("users", new { email = "gavin@hooli.com", firstName = "Gavin", lastName = "Belson" });
        var user = await ReadAsync<UserAnswer>(answer, HttpStatusCode.Created);
        Done("POST users", $"user {user.Id}");
        return user.Id;
    }

    private async Task MintClientTokenAsync(string userId)
    {
        using var answer = await _api.PostAsync($"users/{userId}/client-token", null);
        var token = await ReadAsync<TokenAnswer>(answer, HttpStatusCode.OK);
        Done("POST users/{id}/client-token", $"a browser may use it for {TimeSpan.FromSeconds(token.ExpiresIn).TotalMinutes:0} minutes");
    }

    private async Task<Uri> RequestConsentLinkAsync(string userId)
    {
        using var answer = await _api.PostAsJsonAsync($"users/{userId}/consent-link", new { });
        var link = await ReadAsync<ConsentLinkAnswer>(answer, HttpStatusCode.OK);
        Done("POST users/{id}/consent-link", $"good until {link.ExpiresAt.ToLocalTime():d MMM yyyy, h:mm tt}");
        return link.Url;
    }

    /// <summary>Does what a person does on the consent page: choose the bank, log in, agree.</summary>
    private async Task<string> ConsentAtSandboxAsync(string userId)
    {
        var user = TestUsers.Find(login)
            ?? throw new DemoException(
                $"The sandbox has no test user '{login}'. It has {string.Join(", ", TestUsers.All.Select(u => u.LoginId))}.");
        var link = await RequestConsentLinkAsync(userId);
        var query = System.Web.HttpUtility.ParseQueryString(link.Query);
        using var form = new FormUrlEncodedContent(
        [
            new("token", query["token"]), new("state", query["state"]), new("institutionId", "AU00000"),
            new("loginId", user.LoginId), new("password", user.Password), new("finish", "1"),
        ]);
        using var page = await _api.PostAsync(new Uri(link.GetLeftPart(UriPartial.Path)), form);
        if (page.Headers.Location is not { } back)
            throw new DemoException($"The consent page did not come back (status {(int)page.StatusCode}).");
        Done("consent page", $"{user.LoginId} logged in at Hooli and agreed");

        using var answer = await _api.GetAsync(back);
        var started = await ReadAsync<SyncStarted>(answer, HttpStatusCode.Accepted);
        Done("GET consent/return", $"{started.SyncId}");
        return started.SyncId;
    }

    private async Task<string> WaitForConsentAsync(string userId)
    {
        console.MarkupLineInterpolated($"Open this link in a browser and give consent: [link]{await RequestConsentLinkAsync(userId)}[/]");
        console.MarkupLineInterpolated(
            $"[grey]The redirect URL in Basiq's dashboard must be {new Uri(host.Url, "api/consent/return")}.[/]");
        var client = host.Services.GetRequiredService<DurableTaskClient>();
        while (true)
        {
            await foreach (var sync in client.GetAllInstancesAsync(new OrchestrationQuery(InstanceIdPrefix: SyncIds.PrefixFor(new(userId)))))
                return sync.InstanceId;
            await Task.Delay(StatusInterval);
        }
    }

    private async Task<SyncAnswer> WatchAsync(string userId, string syncId)
    {
        console.WriteLine();
        var sync = await GetSyncAsync();
        if (console.Profile.Capabilities.Interactive)
        {
            await console.Live(SyncView.Render(sync)).StartAsync(live => FollowAsync(() => live.UpdateTarget(SyncView.Render(sync))));
        }
        else
        {
            var lines = new SyncLines(console);
            lines.Write(sync);
            await FollowAsync(() => lines.Write(sync));
        }

        return sync;

        async Task FollowAsync(Action show)
        {
            while (!IsOver(sync))
            {
                await Task.Delay(StatusInterval);
                sync = await GetSyncAsync();
                show();
            }
        }

        async Task<SyncAnswer> GetSyncAsync()
        {
            using var answer = await _api.GetAsync(new Uri($"users/{userId}/syncs/{syncId}", UriKind.Relative));
            return await ReadAsync<SyncAnswer>(answer, HttpStatusCode.OK);
        }
    }

    private async Task ShowAccountsAsync(string userId)
    {
        using var answer = await _api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative));
        var snapshot = await ReadAsync<AccountsAnswer>(answer, HttpStatusCode.OK);
        var table = new Table().Border(TableBorder.Rounded).Title("Accounts")
            .AddColumn("Name").AddColumn("Class").AddColumn("Number")
            .AddColumn(new TableColumn("Balance").RightAligned()).AddColumn(new TableColumn("Available").RightAligned());
        foreach (var account in snapshot.Accounts)
        {
            table.AddRow(
                Markup.Escape(account.Name ?? ""), Markup.Escape(account.Class?.Type ?? ""), LastDigits(account.AccountNo),
                Markup.Escape($"{Money(account.Balance)} {account.Currency}"), Markup.Escape(Money(account.AvailableFunds)));
        }

        console.Write(table);
    }

    private void Explain(SyncAnswer sync)
    {
        foreach (var job in sync.Jobs.Where(j => j.NextAction is not null))
        {
            var step = job.Steps.FirstOrDefault(s => s.Code is not null);
            console.MarkupLineInterpolated(
                $"[red]✗ The bank's job {Words.Of(job.Status)}: {step?.Code ?? "no reason given"}[/] {step?.Detail ?? ""}");
            console.MarkupLineInterpolated($"  [yellow]What to do:[/] {Words.Of(job.NextAction!.Value)}");
        }

        if (sync.Status is SyncState.Completed)
            console.MarkupLineInterpolated($"[green]✓ {sync.Accounts.Fetched} accounts and {sync.Transactions:N0} transactions fetched.[/]");
        else if (sync.Error is { } error)
            console.MarkupLineInterpolated($"[red]✗ {error.Code}:[/] {error.Detail}");
    }

    private void Done(string call, string outcome) =>
        console.MarkupLineInterpolated($"[green]✓[/] [bold]{call,-29}[/] {outcome}");

    private static bool IsOver(SyncAnswer sync) => sync.Status is not (SyncState.WaitingForBank or SyncState.Fetching);

    /// <summary>An amount with its thousands told apart, to the digit as the bank gave it; what is no number stays as it is.</summary>
    private static string Money(string? amount) =>
        decimal.TryParse(amount, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            ? value.ToString($"N{value.Scale}", CultureInfo.InvariantCulture)
            : amount ?? "";

    private static string LastDigits(string? accountNo) => accountNo?.Length > 4 ? $"…{Markup.Escape(accountNo[^4..])}" : "";

    private static async Task<T> ReadAsync<T>(HttpResponseMessage answer, HttpStatusCode expected)
    {
        if (answer.StatusCode != expected)
        {
            throw new DemoException(
                $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri!.AbsolutePath} answered {(int)answer.StatusCode}: "
                + await answer.Content.ReadAsStringAsync());
        }

        return (await answer.Content.ReadFromJsonAsync<T>())!;
    }
}
