using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Web;
using BasiqFunctions.LocalHost;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Sandbox.Users;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Platform.OpenApi;
using Microsoft.AspNetCore.Builder;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>
/// The whole app as its callers know it: LocalHost on a free port, the sandbox as upstream on another, state in a folder of the
/// test's own. Jobs and polls are quick unless a test says otherwise. When it stops, whatever was logged must hold nothing confidential.
/// </summary>
internal sealed class AppUnderTest : IAsyncDisposable
{
    /// <summary>Longer than anything takes on a machine with ten times as much to do, and shorter than what ends a run whose tests hang.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>What is seen is often a tuple.</summary>
    private static readonly JsonSerializerOptions WithFields = new() { IncludeFields = true };

    private readonly TemporaryDirectory _state;
    private readonly bool _ownsState;
    private readonly LocalHostApplication _host;
    private readonly FakeTimeProvider? _standing;

    private AppUnderTest(LocalHostApplication host, TimeProvider? clock, TemporaryDirectory state, bool ownsState, LogCapture logs)
    {
        _host = host;
        _standing = clock as FakeTimeProvider;
        _state = state;
        _ownsState = ownsState;
        Logs = logs;

        // A caller from outside: what it does is in no trace of the app's.
        Api = new HttpClient(new OwnContract(new SocketsHttpHandler { AllowAutoRedirect = false, ActivityHeadersPropagator = null }))
        {
            BaseAddress = new Uri(host.Url, "api/"),
        };
        Sandbox = new HttpClient { BaseAddress = host.SandboxUrl };
    }

    public HttpClient Api { get; }

    public HttpClient Sandbox { get; }

    public LogCapture Logs { get; }

    /// <summary>The bank that people are connected to from now on.</summary>
    public string Bank { get; set; } = "AU00000";

    public IServiceProvider Services => _host.Services;

    /// <summary>Whether no orchestration has anything to do before time passes or something happens. Calls that are under way while a clock is moved time out by it.</summary>
    public bool IsAtRest => Services.GetRequiredService<OrchestrationEngine>().IsAtRest;

    public TemporaryDirectory State => _state;

    /// <param name="settings">Settings as <c>Section:Name=value</c>.</param>
    /// <param name="clock">The clock of the app and, unless another is given, of the sandbox.</param>
    /// <param name="sandboxClock">The clock of the sandbox.</param>
    /// <param name="state">The state folder of an earlier run, to go on with.</param>
    /// <param name="configure">Services that take the place of the app's.</param>
    public static async Task<AppUnderTest> StartAsync(
        IEnumerable<string>? settings = null,
        TimeProvider? clock = null,
        TimeProvider? sandboxClock = null,
        TemporaryDirectory? state = null,
        Action<IServiceCollection>? configure = null)
    {
        var directory = state ?? new TemporaryDirectory();
        var logs = new LogCapture();
        string[] args =
        [
            "--urls=http://127.0.0.1:0",
            "--Sandbox:Url=http://127.0.0.1:0",
            $"--LocalHost:StateDirectory={directory.Path}",
            "--Sandbox:JobDuration=00:00:00.2",
            "--Sync:FirstPollDelay=00:00:00.05",
            "--Basiq:RetryDelay=00:00:00.02",

            // Tests that count requests, or deliveries, ask for the subscription themselves.
            "--LocalHost:SubscribeToSandbox=false",
            .. (settings ?? []).Select(s => $"--{s}"),
        ];
        try
        {
            var host = await LocalHostApplication.StartAsync(
                args,
                builder =>
                {
                    Capture(builder, logs, clock);
                    configure?.Invoke(builder.Services);
                },
                builder => Capture(builder, logs, sandboxClock ?? clock));
            return new AppUnderTest(host, clock, directory, state is null, logs);
        }
        catch
        {
            if (state is null)
                directory.Dispose();
            throw;
        }
    }

    public async Task<string> CreateUserAsync(string email = "gavin@hooli.com")
    {
        using var answer = await Api.PostAsJsonAsync("users", new { email, mobile = "+61410888666", firstName = "Gavin" });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await ReadAsync(answer)).GetProperty("id").GetString()!;
    }

    /// <summary>
    /// Deletes a user or a connection, or revokes a consent, and waits for the end of it where a busy machine is told 202 after two seconds. A
    /// receipt is there before all is done, and where there is nothing to remove there is none.
    /// </summary>
    public async Task DeleteAsync(string path)
    {
        using var answer = await Api.DeleteAsync(new Uri(path, UriKind.Relative));
        if (answer.StatusCode is not HttpStatusCode.Accepted)
        {
            Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
            return;
        }

        var client = Services.GetRequiredService<DurableTaskClient>();
        await WaitForAsync(
            () => client.GetAllInstancesAsync(new OrchestrationQuery(InstanceIdPrefix: "remove-")).AllAsync(removal => removal.IsCompleted).AsTask(), ended => ended);
    }

    public async Task<Uri> CreateConsentLinkAsync(string userId, object? request = null)
    {
        using var answer = await Api.PostAsJsonAsync($"users/{userId}/consent-link", request ?? new { });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return new Uri((await ReadAsync(answer)).GetProperty("url").GetString()!);
    }

    /// <summary>Gives consent at the sandbox's page, one bank per login, and returns where the page sends the browser.</summary>
    public async Task<Uri> ConsentAsync(Uri link, params string[] logins)
    {
        var query = HttpUtility.ParseQueryString(link.Query);
        var jobIds = "";
        for (var i = 0; ; i++)
        {
            var user = TestUsers.Find(logins[i])!;
            var isLast = i == logins.Length - 1;
            using var form = new FormUrlEncodedContent(
            [
                new("token", query["token"]), new("state", query["state"]), new("institutionId", Bank),
                new("loginId", user.LoginId), new("password", user.Password), new("jobIds", jobIds),
                new(isLast ? "finish" : "another", "1"),
            ]);
            using var page = await Api.PostAsync(new Uri(link.GetLeftPart(UriPartial.Path)), form);
            if (isLast)
            {
                Assert.Equal(HttpStatusCode.SeeOther, page.StatusCode);
                return page.Headers.Location!;
            }

            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
            jobIds = FieldValue(await page.Content.ReadAsStringAsync(), "jobIds");
        }
    }

    /// <summary>Goes through consent with these logins and returns the sync that it starts.</summary>
    public async Task<string> ConsentAndReturnAsync(string userId, params string[] logins)
    {
        var back = await ConsentAsync(await CreateConsentLinkAsync(userId), logins);
        using var answer = await Api.GetAsync(back);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return (await ReadAsync(answer)).GetProperty("syncId").GetString()!;
    }

    /// <summary>Connects banks at the sandbox and returns the jobs, without telling the app of them.</summary>
    public async Task<string[]> ConnectAsync(string userId, params string[] logins)
    {
        var back = await ConsentAsync(await CreateConsentLinkAsync(userId), logins);
        return HttpUtility.ParseQueryString(back.Query)["jobIds"]!.Split(',');
    }

    public async Task<SyncAnswer> GetSyncAsync(string userId, string syncId) =>
        (await Api.GetFromJsonAsync<SyncAnswer>($"users/{userId}/syncs/{syncId}"))!;

    public Task<SyncAnswer> WaitForSyncAsync(string userId, string syncId, Action? betweenLooks = null) => WaitForAsync(
        () => GetSyncAsync(userId, syncId),
        sync => sync.Status is not (SyncState.WaitingForBank or SyncState.Fetching),
        betweenLooks);

    /// <summary>The same, moving a clock by a step whenever the app is at rest.</summary>
    public Task<SyncAnswer> WaitForSyncAsync(string userId, string syncId, FakeTimeProvider clock, TimeSpan step) => WaitForSyncAsync(
        userId,
        syncId,
        () =>
        {
            if (IsAtRest)
                clock.Advance(step);
        });

    /// <summary>Waits until the app is at rest.</summary>
    public Task RestAsync() => WaitForAsync(() => Task.FromResult(IsAtRest), isAtRest => isAtRest);

    /// <summary>Looks again and again until it sees what it waits for.</summary>
    public static async Task<T> WaitForAsync<T>(Func<Task<T>> look, Func<T, bool> isIt, Action? betweenLooks = null)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            var seen = await look();
            if (isIt(seen))
                return seen;
            var waited = Stopwatch.GetElapsedTime(begun);
            if (waited > Patience)
                Assert.Fail($"Waited {Patience.TotalSeconds} s in vain; the last look saw {Beginning(JsonSerializer.Serialize(seen, WithFields))}.");
            betweenLooks?.Invoke();

            // Each look costs what the app could do meanwhile. Where a clock is moved between the looks, looking is what lets time pass.
            await Task.Delay(betweenLooks is null ? Math.Clamp((int)waited.TotalMilliseconds / 20, 10, 250) : 10, CancellationToken.None);
        }
    }

    private static string Beginning(string text) => text.Length <= 4000 ? text : $"{text[..4000]}… ({text.Length} characters)";

    public Task<JsonElement> StatsAsync() => Sandbox.GetFromJsonAsync<JsonElement>("_sandbox/stats");

    /// <summary>How often the sandbox was asked for an endpoint, such as <c>GET /jobs/{jobId}</c>.</summary>
    public async Task<long> CountAsync(string endpoint) =>
        (await StatsAsync()).GetProperty("requests").TryGetProperty(endpoint, out var count) ? count.GetInt64() : 0;

    /// <summary>The body of an answer to a bank.</summary>
    public static Dictionary<string, string[]> MfaResponse(params string[] answers) => new() { ["mfa-response"] = answers };

    public static async Task<JsonElement> ReadAsync(HttpResponseMessage answer) =>
        await answer.Content.ReadFromJsonAsync<JsonElement>();

    /// <summary>Asserts a problem of a status and a code, and returns it.</summary>
    public static async Task<JsonElement> AssertProblemAsync(HttpResponseMessage answer, HttpStatusCode status, string code)
    {
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"Expected {status}, got {answer.StatusCode}: {body}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonElement.Parse(body);
        Assert.Equal(code, problem.GetProperty("code").GetString());
        return problem;
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        Sandbox.Dispose();
        if (_standing is null)
            await _host.DisposeAsync();
        else
            await _host.DisposeByAsync(_standing);
        try
        {
            Confidential.AssertNoneIn(Logs.Text, _state);
        }
        finally
        {
            if (_ownsState)
                _state.Dispose();
        }
    }

    private static void Capture(WebApplicationBuilder builder, LogCapture logs, TimeProvider? clock)
    {
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Trace);
        builder.Services.Configure<LoggerFilterOptions>(options =>
        {
            // Everything, but for the server's own lines about each request, which the host keeps off: they quote URLs.
            foreach (var rule in options.Rules.Where(r => r.CategoryName is not "Microsoft.AspNetCore.Hosting.Diagnostics").ToArray())
                options.Rules.Remove(rule);
            options.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        });
        if (clock is not null)
            builder.Services.AddSingleton(clock);
    }

    private static string FieldValue(string html, string name)
    {
        var field = html.IndexOf($"name=\"{name}\"", StringComparison.Ordinal);
        var start = html.IndexOf("value=\"", field, StringComparison.Ordinal) + "value=\"".Length;
        return HttpUtility.HtmlDecode(html[start..html.IndexOf('"', start)]);
    }
}
