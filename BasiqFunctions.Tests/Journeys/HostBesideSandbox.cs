using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Web;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Sandbox.Users;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>A sandbox in this process and the state of a LocalHost that runs in processes of its own: both outlive each of these.</summary>
internal sealed class HostBesideSandbox : IAsyncDisposable
{
    private const string StateSetting = "LocalHost:StateDirectory=";

    private readonly TemporaryDirectory _state = new();
    private readonly WebApplication _sandbox;
    private readonly string[] _hostSettings;
    private LocalHostProcess? _running;

    private HostBesideSandbox(WebApplication sandbox, string[] hostSettings)
    {
        _sandbox = sandbox;
        _hostSettings = hostSettings;
        Basiq = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(sandbox.Urls.First()) };
    }

    /// <summary>Talks to the sandbox.</summary>
    public HttpClient Basiq { get; }

    /// <summary>Where the hosts keep what they know, unless their settings say otherwise.</summary>
    public string StateFolder =>
        _hostSettings.LastOrDefault(s => s.StartsWith(StateSetting, StringComparison.Ordinal))?[StateSetting.Length..] ?? _state.Path;

    /// <param name="sandboxSettings">The sandbox's, without the name of their section.</param>
    /// <param name="hostSettings">LocalHost's, beyond those that lead it here.</param>
    public static async Task<HostBesideSandbox> CreateAsync(IReadOnlyDictionary<string, string> sandboxSettings, params string[] hostSettings)
    {
        var sandbox = SandboxApplication.Create([], builder =>
        {
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Configuration.AddInMemoryCollection(sandboxSettings.Select(s => KeyValuePair.Create($"Sandbox:{s.Key}", (string?)s.Value)));
        });
        await sandbox.StartAsync();
        return new HostBesideSandbox(sandbox, hostSettings);
    }

    /// <param name="environment">Variables beside those of this process.</param>
    public Task<LocalHostProcess> StartHostAsync(IReadOnlyDictionary<string, string>? environment = null) => LocalHostProcess.StartAsync(
        environment ?? new Dictionary<string, string>(),
    [
        $"Basiq:BaseUrl={_sandbox.Urls.First()}",
        $"Basiq:ConsentUrl={_sandbox.Urls.First()}/home",
        $"Basiq:ApiKey={SandboxOptions.DefaultApiKey}",
        $"{StateSetting}{StateFolder}",
        .. _hostSettings,
    ]);

    /// <summary>The host that the case before left running; a new one for the first.</summary>
    public async Task<LocalHostProcess> RunningAsync() => _running ??= await StartHostAsync();

    /// <summary>Kills it, and starts it again.</summary>
    public async Task<LocalHostProcess> RestartAsync()
    {
        var killed = _running!;
        _running = null;
        Kill(killed);
        return await RunningAsync();
    }

    /// <summary>Kills a host, and looks into all that it has written for what must not be there.</summary>
    public void Kill(LocalHostProcess host)
    {
        host.Kill();
        Confidential.AssertNoneIn(host.Output, _state);
        host.Dispose();
    }

    /// <summary>Has what is asked of the sandbox from now on be asked as the app does.</summary>
    public async Task SignInAsync()
    {
        using var mint = new HttpRequestMessage(HttpMethod.Post, new Uri("token", UriKind.Relative))
        {
            Content = new FormUrlEncodedContent([new("scope", "SERVER_ACCESS")]),
        };
        mint.Headers.TryAddWithoutValidation("Authorization", $"Basic {SandboxOptions.DefaultApiKey}");
        mint.Headers.Add("basiq-version", "3.0");
        using var minted = await Basiq.SendAsync(mint);
        Basiq.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", (await AppUnderTest.ReadAsync(minted)).GetProperty("access_token").GetString());
    }

    /// <summary>Changes options of the sandbox.</summary>
    public async Task SetSandboxAsync(object options)
    {
        using var answer = await Basiq.PatchAsJsonAsync("_sandbox/options", options);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Asks a database of the host's for one value.</summary>
    public async Task<object?> AskAsync(string file, string sql)
    {
        await using var database = new SqliteConnection($"Data Source={Path.Combine(StateFolder, file)};Pooling=False");
        await database.OpenAsync();
        await using var command = database.CreateCommand();
#pragma warning disable CA2100 // The test's own.
        command.CommandText = sql;
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Takes a person from nothing to a sync that has begun.</summary>
    public async Task<(string UserId, string SyncId)> StartSyncAsync(LocalHostProcess host, string login)
    {
        var (userId, wayBack) = await ConsentAsync(host, login);
        using var back = await host.Api.GetAsync(wayBack);
        Assert.Equal(HttpStatusCode.Accepted, back.StatusCode);
        return (userId, (await AppUnderTest.ReadAsync(back)).GetProperty("syncId").GetString()!);
    }

    /// <summary>Takes a person from nothing to the end of the consent page, and gives where that sends the browser.</summary>
    public async Task<(string UserId, Uri WayBack)> ConsentAsync(LocalHostProcess host, string login)
    {
        using var created = await host.Api.PostAsJsonAsync("users", new { email = "gavin@hooli.com" });
        var userId = (await AppUnderTest.ReadAsync(created)).GetProperty("id").GetString()!;
        using var linked = await host.Api.PostAsJsonAsync($"users/{userId}/consent-link", new { });
        var query = HttpUtility.ParseQueryString(new Uri((await AppUnderTest.ReadAsync(linked)).GetProperty("url").GetString()!).Query);
        var user = TestUsers.Find(login)!;
        using var form = new FormUrlEncodedContent(
        [
            new("token", query["token"]), new("state", query["state"]), new("institutionId", "AU00000"),
            new("loginId", user.LoginId), new("password", user.Password), new("finish", "1"),
        ]);
        using var page = await Basiq.PostAsync(new Uri("home", UriKind.Relative), form);
        return (userId, new Uri($"consent/return{page.Headers.Location!.Query}", UriKind.Relative));
    }

    /// <summary>Sends a host that subscribes to webhooks one that tells of an event, signed as Basiq does.</summary>
    public async Task<HttpResponseMessage> SendWebhookAsync(LocalHostProcess host, string id, string eventId)
    {
        var secret = JsonElement.Parse(await File.ReadAllBytesAsync(Path.Combine(StateFolder, "keyvault.json")))
            .GetProperty("secrets").GetProperty("basiq-webhook-secret")[0].GetProperty("value").GetString()!;
        var link = new Uri(Basiq.BaseAddress!, $"events/{eventId}");
        var body = JsonSerializer.Serialize(new { eventTypeId = "consent.revoked", eventId, links = new { @event = link } });
        var at = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("webhooks/basiq", UriKind.Relative))
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)),
        };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", at);
        request.Headers.Add("webhook-signature", Hosting.Webhooks.Sign(secret, id, at, body));
        return await host.Api.SendAsync(request);
    }

    public static Task<SyncAnswer> WaitForSyncAsync(LocalHostProcess host, string userId, string syncId, Func<SyncAnswer, bool> isIt) =>
        AppUnderTest.WaitForAsync(async () => (await host.Api.GetFromJsonAsync<SyncAnswer>($"users/{userId}/syncs/{syncId}"))!, isIt);

    /// <summary>Waits until a sync has ended, which must be well.</summary>
    public static async Task<SyncAnswer> CompletedAsync(LocalHostProcess host, string userId, string syncId)
    {
        var sync = await WaitForSyncAsync(host, userId, syncId, s => s.Status is not (SyncState.WaitingForBank or SyncState.Fetching));
        Assert.Equal(SyncState.Completed, sync.Status);
        return sync;
    }

    public async ValueTask DisposeAsync()
    {
        if (_running is not null)
            Kill(_running);
        Basiq.Dispose();
        await _sandbox.DisposeAsync();
        _state.Dispose();
    }
}
