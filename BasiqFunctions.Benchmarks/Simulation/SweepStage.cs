using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using BasiqFunctions.Benchmarks.Parts;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Data;
using BasiqFunctions.LocalHost;
using BasiqFunctions.LocalHost.Data;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Benchmarks.Simulation;

/// <summary>The daily pass in this process, over stores that are counted, in front of a sandbox that is a process of its own.</summary>
internal sealed class SweepStage : IAsyncDisposable
{
    private const int Lanes = 16;

    /// <summary>What the ids of users begin with who are not due.</summary>
    private const string OtherPrefix = "other-";

    private readonly SyncStage _stage;
    private readonly ServiceProvider _services;
    private readonly OrchestrationEngine _engine;
    private readonly DurableTaskClient _client;
    private readonly MeterListener _requests = new();
    private readonly ConcurrentDictionary<int, int> _ofPort = [];
    private readonly Counts _counts;
    private readonly Azurite? _azurite;
    private readonly string[] _due;

    private SweepStage(SyncStage stage, ServiceProvider services, Counts counts, Azurite? azurite, string[] due)
    {
        (_stage, _services, _counts, _azurite, _due) = (stage, services, counts, azurite, due);
        (_engine, _client) = (services.GetRequiredService<OrchestrationEngine>(), services.GetRequiredService<DurableTaskClient>());
        _requests.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument is { Name: "http.client.request.duration", Meter.Name: "System.Net.Http" })
                listener.EnableMeasurementEvents(instrument);
        };
        _requests.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            foreach (var (name, value) in tags)
            {
                if (name == "server.port" && value is int port)
                    _ofPort.AddOrUpdate(port, 1, (_, count) => count + 1);
            }
        });
        _requests.Start();
    }

    /// <summary>How many are due.</summary>
    public int Due => _due.Length;

    /// <summary>Fetches those who are due, and stores what is kept of the others.</summary>
    public static async Task<SweepStage> StartAsync(int users, int due, int transactions, Azurite? azurite)
    {
        string[] storage = azurite is null ? [] : [$"--AzureWebJobsStorage={azurite.ConnectionString}"];
        var stage = await SyncStage.StartAsync(1, transactions, ["--Sandbox:Webhooks=false", .. storage]);
        var people = await stage.ConsentAsync(due);
        foreach (var some in people.Chunk(100))
            await stage.SyncAsync(some);
        await stage.EndHostAsync();

        var counts = new Counts([.. people.Select(person => person.UserId)], OtherPrefix);
        var services = Compose(
            stage, storage, counts.Note, typeof(RemovalOrchestration), typeof(RemovalActivities), typeof(DueOrchestration), typeof(DueActivities));
        var sweep = new SweepStage(stage, services, counts, azurite, [.. people.Select(person => person.UserId)]);
        await sweep._engine.StartAsync(CancellationToken.None);
        await services.GetRequiredService<DueWork>().BeginAsync(CancellationToken.None);
        await sweep.StoreOthersAsync(users - due);
        return sweep;
    }

    /// <summary>Takes back the consents of all who are due.</summary>
    public Task RevokeAllAsync() => Parallel.ForEachAsync(_due, new ParallelOptions { MaxDegreeOfParallelism = Lanes }, async (userId, _) =>
    {
        var consents = await _stage.AskSandboxAsync(HttpMethod.Get, $"users/{userId}/consents");
        await _stage.AskSandboxAsync(HttpMethod.Delete, $"users/{userId}/consents/{consents.GetProperty("data")[0].GetProperty("id").GetString()}");
    });

    /// <summary>Has the consents of those who are due be looked at today.</summary>
    public async Task MakeDueAsync()
    {
        var yesterday = new DueWork(_services.GetRequiredKeyedService<IRecordTable>(DueOptions.Section), new Yesterday());
        await Parallel.ForEachAsync(_due, new ParallelOptions { MaxDegreeOfParallelism = Lanes }, async (userId, cancellation) =>
            await yesterday.SetAsync(new(userId), cancellation, (DueKinds.ConsentCheck, DateTimeOffset.MinValue)));
    }

    /// <summary>Runs a pass, and counts what it does.</summary>
    /// <exception cref="InvalidOperationException">It did not do what it was to do.</exception>
    public async Task<SweepCost> PassAsync(bool areRemoved)
    {
        _counts.Begin();
        _ofPort.Clear();
        var instanceId = $"due-{Guid.NewGuid():N}";
        await _client.ScheduleNewOrchestrationInstanceAsync(
            DueOrchestration.Name, DueWork.DayOf(DateTimeOffset.UtcNow), new StartOrchestrationOptions(instanceId), CancellationToken.None);
        var ended = await _client.WaitForInstanceCompletionAsync(instanceId, getInputsAndOutputs: true, CancellationToken.None);
        var done = ended.ReadOutputAs<RetentionPass>();
        if (done != new RetentionPass(Due, areRemoved ? Due : 0, 0))
            throw new InvalidOperationException($"The pass ended {ended.RuntimeStatus} with {ended.SerializedOutput}.");
        var steps = _azurite is null
            ? _counts.All
            : _ofPort.GetValueOrDefault(_azurite.BlobPort) + _ofPort.GetValueOrDefault(_azurite.TablePort);
        return new SweepCost(_ofPort.GetValueOrDefault(_stage.Sandbox.Port), steps, _counts.OfNobody, _counts.OfOthers);
    }

    public async ValueTask DisposeAsync()
    {
        _requests.Dispose();
        await _engine.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
        await _stage.DisposeAsync();
    }

    /// <summary>The app in this process, beside LocalHost's state, over stores that tell what is asked of them.</summary>
    internal static ServiceProvider Compose(SyncStage stage, string[] storage, Action<string> tell, params Type[] functions)
    {
        var configuration = new ConfigurationBuilder()
            .AddCommandLine([.. LocalHosts.Settings(stage.Sandbox.Url, stage.State), .. storage])
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Due:SpreadOver"] = "00:00:00",
                ["KeyVault:LocalFile"] = Path.Combine(stage.State.Path, "sweeps.json"),
            })
            .Build();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Error).AddSimpleConsole());
        services.AddSingleton<IConfiguration>(configuration);
        if (storage.Length == 0)
        {
            services.AddSingleton<ISnapshotStorage>(new FileSnapshotStorage(Path.Combine(stage.State.Path, "snapshots"), TimeProvider.System));
            services.AddSingleton<IRecordTables>(_ => SqliteRecordTables.Open(Path.Combine(stage.State.Path, "records.db")));
        }

        services.AddSingleton(new LocalHostOptions());
        services.AddSingleton(_ => FunctionCatalog.Of(functions));
        services.AddSingleton(_ => Journal.Open(Path.Combine(stage.State.Path, "sweeps.db")));
        services.AddSingleton<OrchestrationEngine>();
        services.AddSingleton<DurableTaskClient, LocalDurableTaskClient>();
        services.AddBasiqFunctions(configuration);
        Decorate<ISnapshotStorage>(services, inner => Counting<ISnapshotStorage>.Before(inner, tell));
        Decorate<IRecordTables>(services, inner => new CountedTables(inner, tell));
        return services.BuildServiceProvider();
    }

    private static void Decorate<T>(ServiceCollection services, Func<T, T> wrap)
        where T : class
    {
        var inner = services.Last(service => service.ServiceType == typeof(T));
        services.AddSingleton(provider => wrap((T)(inner.ImplementationInstance ?? inner.ImplementationFactory!(provider))));
    }

    /// <summary>Each has the snapshot of one who is due, and days that have not come.</summary>
    private async Task StoreOthersAsync(int others)
    {
        var storage = _services.GetRequiredService<ISnapshotStorage>();
        var due = _services.GetRequiredService<DueWork>();
        var manifest = (await storage.ReadAsync(SnapshotPaths.Manifest(new(_due[0])), CancellationToken.None))!.Content;
        var now = DateTimeOffset.UtcNow;
        var maxAge = _services.GetRequiredService<IOptions<SnapshotOptions>>().Value.MaxAge;
        await Parallel.ForAsync(0, others, new ParallelOptions { MaxDegreeOfParallelism = Lanes }, async (i, cancellation) =>
        {
            var userId = OtherPrefix + i.ToString("D7", CultureInfo.InvariantCulture);
            await due.SetAsync(new(userId), cancellation, (DueKinds.ConsentCheck, now + TimeSpan.FromDays(1 + (i % 29))), (DueKinds.Age, now + maxAge));
            await storage.TryPutAsync(SnapshotPaths.Manifest(new(userId)), manifest, null, cancellation);
        });
    }

    /// <summary>Tomorrow, by it, is today.</summary>
    private sealed class Yesterday : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() - TimeSpan.FromDays(1);
    }

    /// <summary>Counts the steps of stores by whom they name.</summary>
    private sealed class Counts(string[] due, string otherPrefix)
    {
        private readonly HashSet<string> _due = [.. due];
        private int _ofDue;
        private int _ofNobody;
        private int _ofOthers;

        public int All => _ofDue + _ofNobody + _ofOthers;

        public int OfNobody => _ofNobody;

        public int OfOthers => _ofOthers;

        public void Begin() => (_ofDue, _ofNobody, _ofOthers) = (0, 0, 0);

        public void Note(string step)
        {
            if (step.Contains(otherPrefix, StringComparison.Ordinal))
                Interlocked.Increment(ref _ofOthers);
            else if (step.StartsWith("ListAsync 2", StringComparison.Ordinal))
                Interlocked.Increment(ref _ofNobody);
            else
                Interlocked.Increment(ref _ofDue);
        }
    }
}
