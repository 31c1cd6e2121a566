using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Web;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>A sandbox and a LocalHost in front of it, each a process of its own, with people who have consented.</summary>
internal sealed class SyncStage : IAsyncDisposable
{
    private const int Lanes = 16;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly HttpClient _api;
    private readonly HttpClient _sandboxClient = new(new HttpClientHandler { AllowAutoRedirect = false });

    private string? _bearer;
    private bool _hasHostEnded;

    private SyncStage(TemporaryFolder state, ServerProcess sandbox, ServerProcess host)
    {
        (State, Sandbox, Host) = (state, sandbox, host);
        _api = new HttpClient { BaseAddress = new Uri(host.Url, "api/"), Timeout = TimeSpan.FromMinutes(3) };
        _sandboxClient.BaseAddress = sandbox.Url;
    }

    public TemporaryFolder State { get; }

    public ServerProcess Sandbox { get; }

    public ServerProcess Host { get; }

    /// <param name="accounts">Accounts of each person.</param>
    /// <param name="transactions">Transactions of each account.</param>
    /// <param name="settings">More of the sandbox's settings and of LocalHost's; the last of a name holds.</param>
    public static async Task<SyncStage> StartAsync(int accounts, int transactions, params string[] settings)
    {
        var state = new TemporaryFolder();
        var sandbox = await ServerProcess.StartAsync(
            "BasiqFunctions.Sandbox.dll",
            [
                "--Sandbox:JobDuration=00:00:00",
                "--Sandbox:TokenRequestLimit=1000000",
                FormattableString.Invariant($"--Sandbox:AccountsPerUser={accounts}"),
                FormattableString.Invariant($"--Sandbox:TransactionsPerAccount={transactions}"),
                .. settings.Where(IsOfSandbox),
            ]);
        return new SyncStage(
            state, sandbox, await LocalHosts.StartAsync(sandbox.Url, state, ["--Logging:LogLevel:Default=Warning", .. settings.Where(setting => !IsOfSandbox(setting))]));

        static bool IsOfSandbox(string setting) => setting.StartsWith("--Sandbox:", StringComparison.Ordinal);
    }

    /// <summary>Creates people and has each consent at one bank, whose job is done at once.</summary>
    public async Task<(string UserId, string JobId)[]> ConsentAsync(int people)
    {
        var consented = new (string, string)[people];
        await Parallel.ForAsync(0, people, new ParallelOptions { MaxDegreeOfParallelism = Lanes }, async (i, cancellation) =>
        {
            var user = await PostAsync("users", new Dictionary<string, string>
            {
                ["email"] = string.Create(CultureInfo.InvariantCulture, $"person-{i}@benchmarks.example"),
            });
            var userId = user.GetProperty("id").GetString()!;
            var token = await PostAsync($"users/{userId}/client-token", new Dictionary<string, string>());
            var login = TestUsers.All.First(u => !u.AlwaysFails);
            using var form = new FormUrlEncodedContent(
            [
                new("token", token.GetProperty("access_token").GetString()), new("institutionId", "AU00000"),
                new("loginId", login.LoginId), new("password", login.Password), new("finish", "1"),
            ]);
            using var page = await _sandboxClient.PostAsync(new Uri("home", UriKind.Relative), form, cancellation);
            var back = page.Headers.Location ?? throw new InvalidOperationException($"The consent page answered {(int)page.StatusCode}.");
            consented[i] = (userId, HttpUtility.ParseQueryString(back.Query)["jobIds"]!);
        });
        return consented;
    }

    /// <summary>Forgets what the sandbox has counted and what memory LocalHost needed so far.</summary>
    public async Task BeginAsync()
    {
        using var reset = await _sandboxClient.PostAsync(new Uri("_sandbox/reset", UriKind.Relative), null);
        reset.EnsureSuccessStatusCode();
        Host.ForgetPeak();
    }

    /// <summary>Starts a sync of each at once, and returns when all have completed.</summary>
    /// <exception cref="InvalidOperationException">One did not complete.</exception>
    public Task SyncAsync((string UserId, string JobId)[] people) => Task.WhenAll(people.Select(async person =>
    {
        var path = await StartSyncAsync(person);

        // Asking must not be what is measured: the more there are, the more seldom each is asked about.
        var pause = Pause * Math.Max(1, people.Length / 20);
        while (true)
        {
            var sync = await _api.GetFromJsonAsync<JsonElement>(path);
            switch (sync.GetProperty("status").GetString())
            {
                case "completed":
                    return;
                case "waiting-for-bank" or "fetching":
                    await Task.Delay(pause);
                    break;
                default:
                    throw new InvalidOperationException($"A sync ended so: {sync}");
            }
        }
    }));

    /// <summary>Has the sandbox refresh a person's banks in the background.</summary>
    public async Task RefreshInBackgroundAsync(string userId)
    {
        using var answer = await _sandboxClient.PostAsync(new Uri($"_sandbox/background-refresh?userId={userId}", UriKind.Relative), null);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>What the sandbox has counted since <see cref="BeginAsync"/>.</summary>
    public Task<JsonElement> StatsAsync() => _sandboxClient.GetFromJsonAsync<JsonElement>("_sandbox/stats");

    /// <summary>Requests that the sandbox has had since <see cref="BeginAsync"/>.</summary>
    public async Task<long> RequestsAsync()
    {
        var stats = await _sandboxClient.GetFromJsonAsync<JsonElement>("_sandbox/stats");
        return stats.GetProperty("requests").EnumerateObject().Sum(r => r.Value.GetInt64());
    }

    /// <summary>Asks the sandbox itself for something, with a server token.</summary>
    public async Task<JsonElement> AskSandboxAsync(HttpMethod method, string path)
    {
        _bearer ??= await BearerAsync();
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Authorization", $"Bearer {_bearer}");
        request.Headers.Add("Accept", "application/json");
        using var answer = await _sandboxClient.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return answer.StatusCode is HttpStatusCode.NoContent ? default : await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>Asks LocalHost for something.</summary>
    public Task<JsonElement> AskAsync(string path) => _api.GetFromJsonAsync<JsonElement>(path);

    /// <summary>Starts a sync, and returns its path.</summary>
    public async Task<string> StartSyncAsync((string UserId, string JobId) person)
    {
        var started = await PostAsync(
            $"users/{person.UserId}/syncs", new Dictionary<string, string[]> { ["jobIds"] = [person.JobId] }, HttpStatusCode.Accepted);
        return $"users/{person.UserId}/syncs/{started.GetProperty("syncId").GetString()}";
    }

    /// <summary>Has Basiq send its webhooks to an address, LocalHost's own unless another is given.</summary>
    /// <returns>The secret that they are signed with.</returns>
    public async Task<string> SubscribeAsync(Uri? to = null)
    {
        using var answer = await _api.PutAsJsonAsync(
            "webhooks/basiq/subscription", new Dictionary<string, string> { ["url"] = (to ?? new Uri(Host.Url, "api/webhooks/basiq")).ToString() });
        answer.EnsureSuccessStatusCode();
        using var vault = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(State.Path, "keyvault.json")));
        return vault.RootElement.GetProperty("secrets").GetProperty("basiq-webhook-secret")[0].GetProperty("value").GetString()!;
    }

    /// <summary>Has LocalHost tell an address of everything.</summary>
    public async Task SubscribeToNotificationsAsync(string name, Uri url)
    {
        using var answer = await _api.PutAsJsonAsync($"notifications/subscription?name={name}", new Dictionary<string, string> { ["url"] = $"{url}" });
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>How often the sandbox was asked for an endpoint since <see cref="BeginAsync"/>.</summary>
    public async Task<long> RequestsAsync(string endpoint)
    {
        var stats = await _sandboxClient.GetFromJsonAsync<JsonElement>("_sandbox/stats");
        return stats.GetProperty("requests").TryGetProperty(endpoint, out var count) ? count.GetInt64() : 0;
    }

    private async Task<string> BearerAsync()
    {
        using var ask = new HttpRequestMessage(HttpMethod.Post, "token");
        ask.Headers.Add("Authorization", $"Basic {new SandboxOptions().ApiKey}");
        ask.Headers.Add("basiq-version", "3.0");
        ask.Content = new FormUrlEncodedContent([new("scope", "SERVER_ACCESS")]);
        using var token = await _sandboxClient.SendAsync(ask);
        return (await token.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString()!;
    }

    /// <summary>Fetches all pages of a user's transactions from the sandbox, and does nothing with them.</summary>
    public async Task FetchAloneAsync(string userId)
    {
        var bearer = await BearerAsync();
        for (string? link = $"users/{userId}/transactions?limit=500"; link is not null;)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, link);
            request.Headers.Add("Authorization", $"Bearer {bearer}");
            request.Headers.Add("Accept", "application/json");
            using var page = await _sandboxClient.SendAsync(request);
            link = NextOf(await page.Content.ReadAsByteArrayAsync());
        }
    }

    /// <summary>Ends LocalHost; what it stored stays.</summary>
    public async Task EndHostAsync()
    {
        if (!_hasHostEnded)
            await Host.DisposeAsync();
        _hasHostEnded = true;
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        _sandboxClient.Dispose();
        await EndHostAsync();
        await Sandbox.DisposeAsync();
        State.Dispose();
    }

    /// <summary>The next page's link, from the end of the page: nothing else of it is looked at.</summary>
    private static string? NextOf(byte[] page)
    {
        ReadOnlySpan<byte> name = "\"next\":\""u8;
        var at = page.AsSpan().LastIndexOf(name);
        if (at < 0)
            return null;
        var link = page.AsSpan(at + name.Length - 1);
        var reader = new Utf8JsonReader(link);
        reader.Read();
        return reader.GetString();
    }

    private async Task<JsonElement> PostAsync<T>(string path, T body, HttpStatusCode? expected = null)
    {
        using var answer = await _api.PostAsJsonAsync(path, body);
        if (expected is { } status && answer.StatusCode != status)
            throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}
