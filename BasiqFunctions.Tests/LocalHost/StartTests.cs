using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.LocalHost;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.Platform;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.LocalHost;

/// <summary>How LocalHost starts, and how it says that it cannot.</summary>
[Trait("Category", "Journeys")]
public sealed class StartTests
{
    [Fact]
    public async Task Every_function_of_the_contract_is_hosted()
    {
        await using var app = await AppUnderTest.StartAsync();
        var functions = app.Services.GetRequiredService<FunctionCatalog>();

        var described = JsonElement.Parse(await File.ReadAllBytesAsync(Path.Combine(Repository.Root, "BasiqFunctions/Platform/OpenApi/openapi.json"))).GetProperty("paths")
            .EnumerateObject().SelectMany(path => path.Value.EnumerateObject()).Select(operation => operation.Value.GetProperty("operationId").GetString()!);
        Assert.Equal(described.Order(StringComparer.Ordinal), functions.Http.Select(f => f.Name).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["ConsentReturn", "Health", "ReceiveWebhook"],
            functions.Http.Where(f => f.AuthLevel is AuthorizationLevel.Anonymous).Select(f => f.Name).Order(StringComparer.Ordinal));
        Assert.Contains(functions.Timers, t => t is { Name: "RefreshServerToken", Schedule: "0 */20 * * * *" });
        Assert.Contains("SyncConnections", functions.Orchestrators.Keys);
        Assert.Contains("HandleEvent", functions.Orchestrators.Keys);
    }

    [Theory]
    [InlineData("urls")]
    [InlineData("Sandbox:Url")]
    public async Task A_busy_port_is_one_line_that_says_what_to_do(string setting)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        using var state = new TemporaryDirectory();

        var refusal = await LocalHostProcess.RefusalAsync($"LocalHost:StateDirectory={state.Path}", $"{setting}=http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}");

        Assert.Matches(@"^Failed to bind to address http://127\.0\.0\.1:\d+: address already in use\..* start this one with --urls http://localhost:7081.*\r?\n$", refusal);
    }

    [Fact]
    public async Task Health_is_well_and_tells_no_secret()
    {
        await using var app = await AppUnderTest.StartAsync();
        await app.CreateUserAsync();

        using var answer = await app.Api.GetAsync(new Uri("health", UriKind.Relative));

        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        Assert.DoesNotContain(SandboxOptions.DefaultApiKey, body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_are_read_from_local_settings_and_the_command_line_goes_before_them()
    {
        using var folder = new TemporaryDirectory();
        await File.WriteAllTextAsync(
            Path.Combine(folder.Path, "local.settings.json"),
            """{ "IsEncrypted": false, "Values": { "Sync__PageSize": "250", "Sync__MaxAttempts": "3" } }""");

        await using var app = await AppUnderTest.StartAsync([$"contentRoot={folder.Path}", "Sync:MaxAttempts=5"]);

        var sync = app.Services.GetRequiredService<IOptions<SyncOptions>>().Value;
        Assert.Equal((250, 5), (sync.PageSize, sync.MaxAttempts));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_with_what_to_do()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var refusal = await Assert.ThrowsAsync<LocalHostException>(() => StartAsync($"--urls=http://127.0.0.1:{port}"));

        Assert.Contains($"{port}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--urls", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:0")]
    [InlineData("http://*:0")]
    [InlineData("http://[::]:0")]
    [InlineData("http://127.0.0.1:0;http://0.0.0.0:0")]
    public async Task More_than_loopback_needs_a_function_key(string urls)
    {
        foreach (var noKey in (string[][])[[], ["--LocalHost:FunctionKey="], ["--LocalHost:FunctionKey= "]])
        {
            var refusal = await Assert.ThrowsAsync<LocalHostException>(() => StartAsync([$"--urls={urls}", .. noKey]));

            Assert.Contains("LocalHost:FunctionKey", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData()]
    [InlineData("--Basiq:BaseUrl=https://au-api.basiq.io")]
    [InlineData("--Basiq:BaseUrl=https://elsewhere.example")]
    public async Task A_Basiq_account_s_data_is_not_kept_in_plain_files_unless_somebody_says_so(params string[] basiq)
    {
        using var state = new TemporaryDirectory();
        string[] args = ["--urls=http://127.0.0.1:0", $"--LocalHost:StateDirectory={state.Path}", "--Basiq:ApiKey=a-key", .. basiq];

        var refusal = await Assert.ThrowsAsync<LocalHostException>(() => StartAsync(args));

        Assert.Contains("--LocalHost:AllowPlain=true", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(state.Files);
        await using var allowed = await LocalHostApplication.StartAsync([.. args, "--LocalHost:AllowPlain=true"]);
        Assert.Null(allowed.SandboxUrl);
    }

    [Fact]
    public async Task A_function_key_is_asked_for_once_it_is_set()
    {
        await using var app = await AppUnderTest.StartAsync(["LocalHost:FunctionKey=a-key"]);

        using var without = await app.Api.GetAsync(new Uri("users/u", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(without, HttpStatusCode.Unauthorized, "unauthorized");
        using var wrong = await app.Api.GetAsync(new Uri("users/u?code=another", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(wrong, HttpStatusCode.Unauthorized, "unauthorized");
        using var health = await app.Api.GetAsync(new Uri("health", UriKind.Relative));
        Assert.NotEqual(HttpStatusCode.Unauthorized, health.StatusCode);
        app.Api.DefaultRequestHeaders.Add("x-functions-key", "a-key");
        using var with = await app.Api.GetAsync(new Uri("users/u", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(with, HttpStatusCode.NotFound, "user-not-found");
    }

    [Theory]
    [InlineData(null, null, null, true, true)]
    [InlineData("a-key", null, "a-key", true, false)]
    [InlineData("a-key", null, null, false, false)]
    [InlineData("a-key", "an-admin-key", "a-key", true, false)]
    [InlineData("a-key", "an-admin-key", "an-admin-key", true, true)]
    [InlineData(null, "an-admin-key", null, true, false)]
    [InlineData(null, "an-admin-key", "an-admin-key", true, true)]
    public async Task Functions_for_whoever_runs_the_app_ask_for_the_admin_key_once_any_key_is_set(
        string? functionKey, string? adminKey, string? brought, bool opensFunctions, bool opensAdmin)
    {
        List<string> settings = [];
        if (functionKey is not null)
            settings.Add($"LocalHost:FunctionKey={functionKey}");
        if (adminKey is not null)
            settings.Add($"LocalHost:AdminKey={adminKey}");
        await using var app = await AppUnderTest.StartAsync(settings);
        if (brought is not null)
            app.Api.DefaultRequestHeaders.Add("x-functions-key", brought);

        using var user = await app.Api.GetAsync(new Uri("users/u", UriKind.Relative));
        Assert.Equal(opensFunctions, user.StatusCode is not HttpStatusCode.Unauthorized);
        using var removals = await app.Api.GetAsync(new Uri("removals", UriKind.Relative));
        Assert.Equal(opensAdmin ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, removals.StatusCode);
        if (!opensAdmin)
            Assert.Contains(adminKey is null ? "LocalHost:AdminKey is not set" : "Bring the admin key", await removals.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_state_folder_in_use_is_named()
    {
        using var state = new TemporaryDirectory();
        await using var app = await AppUnderTest.StartAsync(state: state);

        var refusal = await Assert.ThrowsAsync<LocalHostException>(
            () => StartAsync("--urls=http://127.0.0.1:0", $"--LocalHost:StateDirectory={state.Path}"));

        Assert.Contains(state.Path, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_address_alone_starts_a_second_host_beside_the_first()
    {
        using var folder = new TemporaryDirectory();
        using var client = new HttpClient();
        List<Process> hosts = [];
        try
        {
            while (hosts.Count < 2)
            {
                // Found just before it is used: another test's host that takes it meanwhile would answer in this one's place.
                var port = FreePair();
                var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "BasiqFunctions.LocalHost.dll"), "--urls", $"http://localhost:{port}"])
                {
                    WorkingDirectory = folder.Path,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                };
                hosts.Add(Process.Start(start)!);
                await AppUnderTest.WaitForAsync(async () => hosts[^1].HasExited || await IsUpAsync(port), isOver => isOver);
                Assert.True(hosts[^1].HasExited || await IsUpAsync(port + 1, "_sandbox/stats"));
                foreach (var ended in hosts.Where(host => host.HasExited))
                    Assert.Fail($"A host has ended with {ended.ExitCode}: {await ended.StandardOutput.ReadToEndAsync()}{await ended.StandardError.ReadToEndAsync()}");
                Assert.Equal(hosts.Count == 1, !Directory.Exists(Path.Combine(folder.Path, ".local", $"{port}")));
            }
        }
        finally
        {
            foreach (var host in hosts)
            {
                host.Kill();
                await host.WaitForExitAsync();
                host.Dispose();
            }
        }

        async Task<bool> IsUpAsync(int port, string path = "api/health")
        {
            try
            {
                using var answer = await client.GetAsync(new Uri($"http://localhost:{port}/{path}"));
                return true;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }

        static int FreePair()
        {
            while (true)
            {
                var port = FreePort.Find();
                using var next = new TcpListener(IPAddress.Loopback, port + 1);
                try
                {
                    next.Start();
                    return port;
                }
                catch (SocketException)
                {
                }
            }
        }
    }

    [Theory]
    [InlineData("Sync:FirstPollDelay=00:00:00", "Sync:FirstPollDelay")]
    [InlineData("Sync:PageSize=501", "Sync:PageSize")]
    [InlineData("Sync:TokenPatience=8.00:00:00", "Sync:TokenPatience")]
    [InlineData("Snapshots:LeftoverGrace=1.00:00:00", "Sync:TokenPatience")]
    [InlineData("Sync:MaxTokenDelay=00:00:01", "Sync:MaxTokenDelay")]
    [InlineData("Basiq:MaxRetries=-1", "Basiq:MaxRetries")]
    [InlineData("Consent:ReturnUrls:0=http://app.example.com", "Consent:ReturnUrls")]
    [InlineData("Snapshots:Container=NO", "Snapshots:Container")]
    [InlineData("Sandbox:ShareOf429=2", "Sandbox:ShareOf429")]
    public async Task A_bad_setting_stops_the_start_and_is_named(string setting, string name)
    {
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => AppUnderTest.StartAsync([setting]));

        Assert.Contains(refusal.Failures, failure => failure.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Durations_are_written_with_a_unit_and_a_setting_that_does_not_exist_is_warned_of()
    {
        await using var app = await AppUnderTest.StartAsync(["Sync:JobTimeout=5m", "Basiq:RetryDelay=250ms", "Sandbox:Latency=1ms", "Sync:PagSize=3"]);

        Assert.Equal(TimeSpan.FromMinutes(5), app.Services.GetRequiredService<IOptions<SyncOptions>>().Value.JobTimeout);
        Assert.Equal(TimeSpan.FromMilliseconds(250), app.Services.GetRequiredService<IOptions<BasiqOptions>>().Value.RetryDelay);
        Assert.Equal("00:00:00.0010000", (await app.Sandbox.GetFromJsonAsync<JsonElement>("_sandbox/options")).GetProperty("latency").GetString());
        Assert.Contains("Unknown setting Sync:PagSize. Did you mean 'Sync:PageSize'?", app.Logs.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("0")]
    [InlineData("soon")]
    [InlineData("2 s")]
    [InlineData("99999999999999999d")]
    public async Task A_duration_without_a_unit_is_refused_and_named_with_all_others_like_it(string duration)
    {
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(
            () => AppUnderTest.StartAsync([$"Sync:JobTimeout={duration}", $"Sandbox:JobDuration={duration}"]));

        Assert.Equal(
            ["Sync:JobTimeout must be a duration such as 500ms, 2s, 15m, 7d or 00:00:02.", "Sandbox:JobDuration must be a duration such as 500ms, 2s, 15m, 7d or 00:00:02."],
            refusal.Failures);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("https://localhost:7443")]
    [InlineData("http://localhost:99999")]
    [InlineData("http://localhost:7091/path")]
    [InlineData("http://127.0.0.1:0;http://127.0.0.1:0/path")]
    public async Task An_address_that_nothing_can_listen_on_is_named(string url)
    {
        var refusal = await Assert.ThrowsAsync<LocalHostException>(() => StartAsync($"--urls={url}"));

        Assert.Contains($"'{url.Split(';')[^1]}' is not an http address", refusal.Message, StringComparison.Ordinal);
        refusal = await Assert.ThrowsAsync<LocalHostException>(() => StartAsync("--urls=http://127.0.0.1:0", $"--Sandbox:Url={url.Split(';')[^1]}"));
        Assert.Contains("is not an http address", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Sync:PageSize=many", "Sync:PageSize must be a whole number.")]
    [InlineData("LocalHost:AllowPlain=maybe", "LocalHost:AllowPlain must be true or false.")]
    [InlineData("LocalHost:MaxConcurrentActivities=1.5", "LocalHost:MaxConcurrentActivities must be a whole number.")]
    [InlineData("Sandbox:Seed=x", "Sandbox:Seed must be a whole number.")]
    [InlineData("AzureWebJobsStorage=x", "AzureWebJobsStorage is not a storage connection string.")]
    public async Task A_value_of_the_wrong_kind_names_its_setting_and_not_the_value(string setting, string said)
    {
        var refusal = await Assert.ThrowsAsync<LocalHostException>(() => AppUnderTest.StartAsync([setting]));

        Assert.Equal(said, refusal.Message);
    }

    /// <summary>Of each setting that there is but the folder of all files: it is taken, or refused in words.</summary>
    [Fact]
    public async Task No_value_of_a_setting_ends_in_a_stack_trace()
    {
        string[] names = [.. from section in SettingNames.Sections from property in Settings.Of(section.Value) where property.Name is not nameof(LocalHostOptions.StateDirectory) select $"{section.Key}:{property.Name}"];
        Assert.True(names.Length > 80);
        ConcurrentBag<string> wrong = [];
        var settings = from name in names from value in name.EndsWith("File", StringComparison.Ordinal) ? (string[])["/"] : ["/", "-1"] select $"--{name}={value}";
        await Parallel.ForEachAsync(settings, async (setting, _) =>
        {
            if (await Record.ExceptionAsync(() => StartAsync("--urls=http://127.0.0.1:0", setting)) is { } exception and not (LocalHostException or OptionsValidationException))
                wrong.Add($"{setting}: {exception.GetType().Name} {exception.Message}");
        });

        Assert.Empty(wrong.Order());
    }

    [Theory]
    [InlineData("gavinBelson", 0, "accounts and")]
    [InlineData("bighead", 1, "connect the bank again")]
    [InlineData("nobody", 1, "no test user 'nobody'")]
    public async Task The_demo_tells_how_it_went_and_exits_accordingly(string login, int exitCode, string told)
    {
        var (code, output) = await RunAsync("demo", "--login", login, "--Sandbox:JobDuration=00:00:00.5");

        Assert.True(code == exitCode, output);
        Assert.Contains(told, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--urls=http://0.0.0.0:0", "LocalHost:FunctionKey")]
    [InlineData("--Sync:PageSize=501", "Sync:PageSize")]
    [InlineData("--Basiq:BaseUrl=http://localhost:5555", "Basiq:ApiKey")]
    public async Task A_start_that_fails_exits_with_a_message_and_no_stack_trace(string setting, string named)
    {
        using var state = new TemporaryDirectory();

        var (code, output) = await RunAsync(setting, $"--LocalHost:StateDirectory={state.Path}", "--Sandbox:Url=http://127.0.0.1:0");

        Assert.Equal(2, code);
        Assert.Contains(named, output, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", output, StringComparison.Ordinal);
        Assert.DoesNotContain(" at Microsoft.", output, StringComparison.Ordinal);
    }

    private static async Task StartAsync(params string[] args)
    {
        using var state = new TemporaryDirectory();
        await using var host = await LocalHostApplication.StartAsync(
            [$"--LocalHost:StateDirectory={state.Path}", "--Sandbox:Url=http://127.0.0.1:0", .. args]);
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "BasiqFunctions.LocalHost.dll"), .. args]);
        var (code, output, errors) = await ChildProcess.RunAsync(start, TimeSpan.FromMinutes(2));
        return (code, string.Join(' ', (output + errors).Split((char[])['\r', '\n', ' '], StringSplitOptions.RemoveEmptyEntries)));
    }
}
