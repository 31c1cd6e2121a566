using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.Basiq;
using BasiqFunctions.Consents;
using BasiqFunctions.Data;
using BasiqFunctions.LocalHost.Console;
using BasiqFunctions.LocalHost.Data;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.LocalHost.Webhooks;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Sandbox;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace BasiqFunctions.LocalHost;

/// <summary>The running host: every function of the app and, when no Basiq account is configured, the sandbox.</summary>
internal sealed partial class LocalHostApplication : IAsyncDisposable
{
    private const string DefaultUrl = "http://localhost:7071";
    private const string DefaultSandboxUrl = "http://localhost:7072";

    private readonly WebApplication _app;
    private readonly WebApplication? _sandbox;
    private readonly FileStream _stateLock;

    private LocalHostApplication(WebApplication app, WebApplication? sandbox, FileStream stateLock)
    {
        _app = app;
        _sandbox = sandbox;
        _stateLock = stateLock;
    }

    /// <summary>Where the functions are, such as <c>http://localhost:7071/</c>; their routes begin with <c>api/</c>.</summary>
    public Uri Url => AddressOf(_app);

    /// <summary>Where the sandbox is; null when Basiq itself is used.</summary>
    public Uri? SandboxUrl => _sandbox is null ? null : AddressOf(_sandbox);

    /// <summary>Whether this host has the sandbox send it webhooks.</summary>
    public bool SubscribesToSandbox => _sandbox is not null && Services.GetRequiredService<LocalHostOptions>().SubscribeToSandbox;

    public IServiceProvider Services => _app.Services;

    /// <summary>Starts everything, and returns when it listens.</summary>
    /// <param name="args">Settings as command-line arguments, such as <c>--urls</c> or <c>--Basiq:ApiKey</c>.</param>
    /// <param name="configure">Lets a caller bring services of its own, such as a clock.</param>
    /// <param name="configureSandbox">The same for the sandbox.</param>
    /// <param name="defaults">Settings that hold unless the command line, the environment or a file says otherwise.</param>
    /// <param name="sandboxDefaults">The same, for when Basiq is simulated.</param>
    /// <param name="passesOverSample">Whether a copy of the sample settings, which are for Core Tools, is passed over.</param>
    /// <exception cref="LocalHostException">It cannot start, for a reason that the user can change.</exception>
    public static async Task<LocalHostApplication> StartAsync(
        string[] args,
        Action<WebApplicationBuilder>? configure = null,
        Action<WebApplicationBuilder>? configureSandbox = null,
        IReadOnlyDictionary<string, string?>? defaults = null,
        IReadOnlyDictionary<string, string?>? sandboxDefaults = null,
        bool passesOverSample = false)
    {
        try
        {
            return await ReadAndStartAsync(args, configure, configureSandbox, defaults, sandboxDefaults, passesOverSample);
        }
        catch (InvalidOperationException exception) when (UnreadableSetting().Match(exception.Message) is { Success: true } match)
        {
            var kind = match.Groups[2].Value switch
            {
                "System.Int32" or "System.Int64" => "a whole number",
                "System.Double" => "a number",
                "System.Boolean" => "true or false",
                "System.Uri" => "a URL",
                _ => "of another form; see docs/configuration.md",
            };
            throw new LocalHostException($"{match.Groups[1].Value} must be {kind}.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A path that a setting names and that is something else, or nobody's to use.
            throw new LocalHostException(exception.Message, exception);
        }
        catch (AggregateException exception) when (exception.InnerExceptions.All(one => one is OptionsValidationException))
        {
            var failures = exception.InnerExceptions.Cast<OptionsValidationException>().SelectMany(one => one.Failures).Distinct();
            throw new LocalHostException(string.Join(Environment.NewLine, failures), exception);
        }
    }

    private static async Task<LocalHostApplication> ReadAndStartAsync(
        string[] args,
        Action<WebApplicationBuilder>? configure,
        Action<WebApplicationBuilder>? configureSandbox,
        IReadOnlyDictionary<string, string?>? defaults,
        IReadOnlyDictionary<string, string?>? sandboxDefaults,
        bool passesOverSample)
    {
        // Settings are read once: nobody need watch their files.
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false", .. args]);
        AddLocalSettings(builder.Configuration, builder.Environment.ContentRootPath, passesOverSample);
        AddBelowAll(builder.Configuration, new Dictionary<string, string?>
        {
            ["Due:SpreadOver"] = "00:00:00",
            ["Notifications:AllowedNetworks"] = "127.0.0.0/8;::1/128",
        });
        AddBelowAll(builder.Configuration, defaults ?? new Dictionary<string, string?>());
        if (NeedsSandbox(builder.Configuration))
            AddBelowAll(builder.Configuration, sandboxDefaults ?? new Dictionary<string, string?>());
        AddBelowAll(builder.Configuration, BesideOthers(builder.Configuration["urls"] ?? DefaultUrl));
        builder.Logging.ClearProviders().AddSimpleConsole(console => console.SingleLine = true);
        foreach (var others in new[] { "Microsoft", "System", "Azure", "Polly" })
            builder.Logging.AddFilter(others, LogLevel.Warning);

        // Why a start fails is said in one line by whoever started it.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);

        // It opens a scope for each request with the path in it, as the caller wrote it.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        Settings.ReadDurations(builder.Configuration, SettingNames.Sections);
        builder.WebHost.ConfigureKestrel(ServerDefences.SetLimits);
        var urls = builder.Configuration["urls"] ?? DefaultUrl;
        builder.WebHost.UseUrls(urls);
        var options = builder.Configuration.GetSection(LocalHostOptions.Section).Get<LocalHostOptions>() ?? new LocalHostOptions();
        if (options.MaxConcurrentActivities < 1)
            throw new LocalHostException("LocalHost:MaxConcurrentActivities must be at least 1.");
        RefuseOpenDoors(urls, options);
        if (NeedsSandbox(builder.Configuration) && !string.IsNullOrEmpty(builder.Configuration["Basiq:BaseUrl"]))
            throw new LocalHostException("Basiq:BaseUrl is set, and no API key. Set Basiq:ApiKey as well, or leave both out to have Basiq simulated.");
        RefusePlainFiles(builder.Configuration, options);

        var (state, stateLock) = Lock(builder.Configuration, options, urls);

        // What takes longest of the start goes on beside the rest of it.
        var catalog = Task.Run(() => FunctionCatalog.Scan(typeof(BasiqFunctionsRegistration).Assembly));
        var journal = Task.Run(state.OpenJournal);
        var records = UsesFiles(builder.Configuration) ? Task.Run(state.OpenRecords) : null;
        var vault = string.IsNullOrEmpty(builder.Configuration["KeyVault:Uri"])
            ? Task.Run(() => state.CheckVault(builder.Configuration["KeyVault:LocalFile"] ?? state.VaultFile))
            : Task.CompletedTask;
        WebApplication? sandbox = null;
        try
        {
            if (NeedsSandbox(builder.Configuration))
            {
                sandbox = await StartSandboxAsync(builder.Configuration, options, configureSandbox);
                var sandboxUrl = AddressOf(sandbox);
                builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
                {
                    ["Basiq:BaseUrl"] = sandboxUrl.GetLeftPart(UriPartial.Authority),
                    ["Basiq:ConsentUrl"] = new Uri(sandboxUrl, "home").ToString(),
                    ["Basiq:ApiKey"] = builder.Configuration["Sandbox:ApiKey"] ?? new SandboxOptions().ApiKey,
                });
            }

            if (string.IsNullOrEmpty(builder.Configuration["KeyVault:Uri"]))
                AddBelowAll(builder.Configuration, new Dictionary<string, string?> { ["KeyVault:LocalFile"] = state.VaultFile });

            configure?.Invoke(builder);
            AddHost(builder.Services, options, catalog, journal);
            if (records is not null)
                AddFiles(builder.Services, state, records);
            AddConsole(builder.Services, sandbox);
            if (sandbox is not null && options.SubscribeToSandbox)
                AddSandboxSubscription(builder);
            builder.Services.AddBasiqFunctions(builder.Configuration);
            AddTelemetry(builder);

            var app = builder.Build();

            // Before the host would, which logs the whole exception: what is wrong with a setting is one line.
            foreach (var (name, hint) in SettingNames.UnknownIn(builder.Configuration))
                Log.UnknownSetting(app.Logger, name, hint);
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            app.UseProtectiveHeaders();
            app.RefuseDotSegments();
            app.UseBareStatusProblems();
            app.MapFunctions(app.Services.GetRequiredService<CallerGuard>());
            app.Services.GetRequiredService<ConsoleEndpoints>().Map(app, app.Services.GetService<SandboxControl>());
            await Task.WhenAll([vault, journal, .. records is null ? (Task[])[] : [records]]);
            await RunAsync(app);
            var host = new LocalHostApplication(app, sandbox, stateLock);
            await host.TellWhereToReturnAsync(builder.Configuration);
            return host;
        }
        catch
        {
            if (sandbox is not null)
                await sandbox.DisposeAsync();
            if (await Task.WhenAny(journal) is { IsCompletedSuccessfully: true })
                await (await journal).DisposeAsync();
            if (records is not null && await Task.WhenAny(records) is { IsCompletedSuccessfully: true })
                (await records).Dispose();
            await stateLock.DisposeAsync();
            throw;
        }
    }

    /// <summary>Cancelled on Ctrl-C or a termination signal.</summary>
    public CancellationToken Stopping => _app.Lifetime.ApplicationStopping;

    /// <summary>Waits for Ctrl-C or a termination signal, then stops what runs, in order.</summary>
    public async Task WaitForShutdownAsync() => await _app.WaitForShutdownAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (_sandbox is not null)
            await _sandbox.DisposeAsync();
        await _stateLock.DisposeAsync();
    }

    /// <summary>
    /// A Basiq account is configured by its API key, or by the vault that holds it. Without either, Basiq is simulated.
    /// </summary>
    private static bool NeedsSandbox(IConfiguration configuration) =>
        string.IsNullOrEmpty(configuration["Basiq:ApiKey"]) && string.IsNullOrEmpty(configuration["KeyVault:Uri"]);

    private static void AddHost(
        IServiceCollection services, LocalHostOptions options, Task<FunctionCatalog> catalog, Task<Journal> journal)
    {
        services.TryAddSingleton<TimeProvider>(provider =>
            new SteadyClock(TimeProvider.System, provider.GetRequiredService<ILogger<SteadyClock>>()));
        services.AddSingleton(options);
        services.AddSingleton<CallerGuard>();
        services.TryAddSingleton(_ => catalog.GetAwaiter().GetResult());
        services.AddSingleton(_ => journal.GetAwaiter().GetResult());
        services.AddSingleton<OrchestrationEngine>();
        services.AddHostedService(provider => provider.GetRequiredService<OrchestrationEngine>());
        services.AddHostedService<TimerScheduler>();
        services.AddSingleton<DurableTaskClient, LocalDurableTaskClient>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
    }

    /// <summary>Whether snapshots and records are kept in files, and not in a storage account.</summary>
    internal static bool UsesFiles(IConfiguration configuration) => !configuration.GetSection("AzureWebJobsStorage").Exists();

    private static void AddFiles(IServiceCollection services, StateFolder state, Task<SqliteRecordTables> records)
    {
        var folder = state.CreateSnapshotsFolder();
        services.AddSingleton<ISnapshotStorage>(provider =>
            new ReachableSnapshotStorage(new FileSnapshotStorage(folder, provider.GetRequiredService<TimeProvider>()), folder));
        services.TryAddSingleton<IRecordTables>(_ => records.GetAwaiter().GetResult());
    }

    private static void AddConsole(IServiceCollection services, WebApplication? sandbox)
    {
        services.AddSingleton<ConsoleEndpoints>();
        services.AddSingleton<NotificationReceiver>();
        if (sandbox is not null)
            services.AddSingleton(_ => new SandboxControl(AddressOf(sandbox)));
        services.AddSingleton(provider => ConsoleReturnUrls.Beside(
            provider.GetRequiredService<IOptions<ConsentOptions>>().Value, AddressesOf(provider.GetRequiredService<IServer>())));
    }

    private static void AddSandboxSubscription(WebApplicationBuilder builder)
    {
        builder.Services.AddHostedService<SandboxSubscription>();

        // The sandbox's jobs take seconds, and not all that happens to one is told by a webhook: a bank that asks for a code, for one.
        AddBelowAll(builder.Configuration, new Dictionary<string, string?> { ["Sync:PollDelayWithNews"] = "00:00:02", ["Sync:GatherNewsFor"] = "00:00:00.500" });
    }

    /// <summary>In Azure the Functions host traces what callers ask for; here the web server does, with the same care for queries.</summary>
    private static void AddTelemetry(WebApplicationBuilder builder)
    {
        if (builder.Services.AddTelemetry(builder.Configuration))
            AddServerTelemetry(builder.Services);
    }

    private static void AddServerTelemetry(IServiceCollection services)
    {
        services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddSource("Microsoft.AspNetCore"));
        services.ConfigureOpenTelemetryMeterProvider(metrics => metrics.AddMeter("Microsoft.AspNetCore.Hosting"));
    }

    private static async Task<WebApplication> StartSandboxAsync(
        IConfiguration configuration, LocalHostOptions options, Action<WebApplicationBuilder>? configure)
    {
        var url = configuration["Sandbox:Url"] ?? DefaultSandboxUrl;
        AddressIn(url);

        // What is left of the command line is for the app: the sandbox takes its section of the configuration and no more.
        var sandbox = SandboxApplication.Create([], builder =>
        {
            builder.WebHost.UseUrls(url);
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Sandbox:ReturnUrl"] = new Uri(
                    new Uri(configuration["urls"]!.Split(';')[0]), "api/consent/return").ToString(),
                ["Sandbox:StateFile"] = Path.Combine(options.StateDirectory, "sandbox.jsonl"),
            });
            builder.Configuration.AddInMemoryCollection(configuration.GetSection("Sandbox").AsEnumerable());
            configure?.Invoke(builder);
        });
        await RunAsync(sandbox);
        return sandbox;
    }

    /// <summary>With a port that the system chose, only now is it known where a consent returns to, and the sandbox is told.</summary>
    private async Task TellWhereToReturnAsync(IConfiguration configuration)
    {
        if (SandboxUrl is null || !configuration["urls"]!.EndsWith(":0", StringComparison.Ordinal))
            return;
        using var client = new HttpClient { BaseAddress = SandboxUrl };
        using var answer = await client.PatchAsJsonAsync(
            "_sandbox/options", new { ReturnUrl = new Uri(Url, "api/consent/return").ToString() });
        answer.EnsureSuccessStatusCode();
    }

    private static async Task RunAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
        }
        catch (IOException exception) when (exception.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            await app.DisposeAsync();
            throw new LocalHostException(
                $"{exception.Message} Another LocalHost, Core Tools or sandbox may be running. "
                + "Stop it, or start this one with --urls http://localhost:7081: its sandbox and files move along.",
                exception);
        }
    }

    /// <summary>With another port the sandbox has another one, too, so that hosts can run side by side.</summary>
    private static Dictionary<string, string?> BesideOthers(string urls) => AddressIn(urls.Split(';')[0]).Port is var port and not (0 or 7071)
        ? new() { ["Sandbox:Url"] = $"http://localhost:{port + 1}" }
        : [];

    /// <summary>Takes the folder of the files. A second host beside one that holds it has its own below it, unless it was told which to take.</summary>
    private static (StateFolder Folder, FileStream Lock) Lock(IConfiguration configuration, LocalHostOptions options, string urls)
    {
        try
        {
            var folder = new StateFolder(options.StateDirectory);
            return (folder, folder.Lock());
        }
        catch (LocalHostException exception)
            when (StateFolder.IsHeld(exception.InnerException) && configuration["LocalHost:StateDirectory"] is null && AddressIn(urls.Split(';')[0]).Port is var port and not (0 or 7071))
        {
            options.StateDirectory = Path.Combine(options.StateDirectory, $"{port}");
            var folder = new StateFolder(options.StateDirectory);
            return (folder, folder.Lock());
        }
    }

    private static BindingAddress AddressIn(string url)
    {
        try
        {
            if (BindingAddress.Parse(url) is { Scheme: "http", PathBase: "", Port: <= IPEndPoint.MaxPort } address)
                return address;
        }
        catch (FormatException)
        {
        }

        throw new LocalHostException($"'{url}' is not an http address to listen on. Use one such as http://localhost:7071.");
    }

    [GeneratedRegex("at '([^']+)' to type '([^']+)'")]
    private static partial Regex UnreadableSetting();

    private static Uri AddressOf(WebApplication app) =>
        new(AddressesOf(app.Services.GetRequiredService<IServer>()).First());

    private static ICollection<string> AddressesOf(IServer server) => server.Features.Get<IServerAddressesFeature>()!.Addresses;

    /// <summary>The functions give out bank data, so more than this machine may reach them only with a key.</summary>
    private static void RefuseOpenDoors(string urls, LocalHostOptions options)
    {
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var host = AddressIn(url).Host;
            if (options.FunctionKey is null && host is not "localhost" && !(IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)))
            {
                throw new LocalHostException(
                    $"'{url}' can be reached from other machines. Set LocalHost:FunctionKey to a key that callers must bring, "
                    + "or listen on localhost.");
            }
        }
    }

    /// <summary>The files are for made-up people, unless whoever runs the host says that they may be for real ones.</summary>
    private static void RefusePlainFiles(IConfiguration configuration, LocalHostOptions options)
    {
        var basiq = configuration["Basiq:BaseUrl"] ?? new BasiqOptions().BaseUrl;
        if (options.AllowPlain || NeedsSandbox(configuration) || !UsesFiles(configuration)
            || (Uri.TryCreate(basiq, UriKind.Absolute, out var address) && address.IsLoopback))
            return;
        throw new LocalHostException(
            "This would keep the accounts and transactions of a Basiq account in files that are not encrypted: LocalHost is for development. Start it without Basiq:ApiKey to use the sandbox, set AzureWebJobsStorage to keep "
            + "them in a storage account, or say with --LocalHost:AllowPlain=true that this disk may hold them.");
    }

    /// <summary>Reads the <c>Values</c> of <c>local.settings.json</c>, as Core Tools do; the environment overrides them.</summary>
    private static void AddLocalSettings(ConfigurationManager configuration, string directory, bool passesOverSample)
    {
        var path = Path.Combine(directory, "local.settings.json");
        if (!File.Exists(path))
            return;
        try
        {
            using var settings = JsonDocument.Parse(
                File.ReadAllBytes(path),
                new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            foreach (var property in settings.RootElement.EnumerateObject())
            {
                if (property.Name is not ("IsEncrypted" or "Values" or "Host" or "ConnectionStrings"))
                    throw new LocalHostException($"'{path}' has {property.Name} beside \"Values\": settings stand in that object, as in local.settings.sample.json.");
            }

            if (!settings.RootElement.TryGetProperty("Values", out var values))
                return;
            if (passesOverSample && values.TryGetProperty("Basiq__ApiKey", out var key) && key.ValueEquals(SandboxOptions.DefaultApiKey))
                return;

            // A list: the configuration reads it again whenever it is rebuilt, when the document is long gone.
            AddBelowAll(configuration, [.. values.EnumerateObject().Select(p => KeyValuePair.Create(
                p.Name.Replace("__", ":", StringComparison.Ordinal), (string?)p.Value.ToString()))]);
        }
        catch (JsonException exception)
        {
            throw new LocalHostException($"'{path}' is not valid JSON: {exception.Message}", exception);
        }
    }

    private static void AddBelowAll(ConfigurationManager configuration, IEnumerable<KeyValuePair<string, string?>> settings) =>
        configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = settings });
}
