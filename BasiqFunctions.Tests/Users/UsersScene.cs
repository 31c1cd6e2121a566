using System.Text;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections;
using BasiqFunctions.Consents;
using BasiqFunctions.Data;
using BasiqFunctions.LocalHost.Data;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Notifications;
using BasiqFunctions.Platform.Health;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using BasiqFunctions.Reports;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Data;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Orchestrations;
using BasiqFunctions.Webhooks;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Moq;

namespace BasiqFunctions.Tests.Users;

/// <summary>
/// The functions of users as a host composes them, with a Basiq that the test scripts, a clock that it moves, a vault and a
/// snapshot store in files, and a durable client that runs removals and daily passes on LocalHost's engine, and no syncs.
/// </summary>
internal sealed class UsersScene : IDisposable
{
    public static readonly UserId Someone = new("user-1");
    public const string AllowedUrl = "https://app.example/banks";

    private readonly string _folder = Directory.CreateTempSubdirectory("basiq-users-").FullName;
    private readonly ServiceProvider _services;
    private Lazy<Task<EngineUnderTest>> _engine;

    public UsersScene(Action<IServiceCollection>? customize = null, Dictionary<string, string?>? settings = null)
    {
        Vault = new SwitchableVault(Path.Combine(_folder, "vault.json"), Clock);
        Durable = new DurableClientDouble(Clock, async () => (await _engine!.Value).Client);
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Due:CheckEvery"] = "1.00:00:00", ["Due:SpreadOver"] = "00:00:00" })
            .AddInMemoryCollection(settings ?? new() { ["Consent:ReturnUrls:0"] = AllowedUrl, ["Consent:ReturnUrls:1"] = "http://localhost:3000" })
            .Build();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(Logs));
        services.AddSingleton<TimeProvider>(Clock);
        services.AddSingleton(Durable.Client);
        services.AddSingleton(Basiq.Object);
        services.AddSingleton(Mock.Of<IBasiqAddress>());
        services.AddSingleton(_ => Vault.CreateClient());
        services.AddSingleton<ISnapshotStorage>(new FileSnapshotStorage(Path.Combine(_folder, "snapshots"), Clock));
        services.AddOptions<BasiqOptions>();
        services.AddSingleton<IRecordTables>(_ => SqliteRecordTables.Open(Path.Combine(_folder, "records.db")));
        services.AddIdempotency(configuration).AddSync(configuration).AddSnapshots(configuration).AddRemoval(configuration).AddBankConnections(configuration).AddConsents(configuration).AddReports(configuration)
            .AddNotifications(configuration).AddWebhooks(configuration).AddDependencies().AddHealth();
        customize?.Invoke(services);
        _services = services.BuildServiceProvider();
        _engine = NewEngine();

        // Unless a test says otherwise, there is one bank, nobody has jobs or connections, and the key is the right one.
        Basiq.Setup(b => b.ListConnectorsAsync(It.IsAny<CancellationToken>())).ReturnsAsync([new Connector("AU00000", Connector.OpenBanking)]);
        Basiq.Setup(b => b.GetUserAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>())).ReturnsAsync(BasiqUser());
        Basiq.Setup(b => b.ListJobsAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>())).ReturnsAsync([]);
        Basiq.Setup(b => b.ListConnectionsAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>())).ReturnsAsync([]);
        Basiq.Setup(b => b.GetConnectorAsync(It.IsAny<string>(), It.IsAny<string>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((string id, string method, CancellationToken _) => new Connector(id, method) { Status = "operational" });
        Basiq.Setup(b => b.GetConnectionAsync(It.IsAny<UserId>(), It.IsAny<ConnectionId>(), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, "GET /users/{userId}/connections/{connectionId}"));
    }

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2024, 6, 1, 12, 0, 0, TimeSpan.Zero));

    public Mock<IBasiqClient> Basiq { get; } = new(MockBehavior.Strict);

    public SwitchableVault Vault { get; }

    public DurableClientDouble Durable { get; }

    public LogCapture Logs { get; } = new();

    public SnapshotParts Snapshots => new(_services);

    public IServiceProvider Services => _services;

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public string SnapshotFolderOf(string userId) => Path.Combine(_folder, "snapshots", userId);

    public bool HasSnapshotFiles => Directory.EnumerateFiles(Path.Combine(_folder, "snapshots"), "*", SearchOption.AllDirectories).Any();

    /// <summary>A connection or user as Basiq has it.</summary>
    public static User BasiqUser(string json = """{"type":"user","id":"user-1","email":"gavin@hooli.com","later":{"a":[null,1.50]}}""") =>
        User.Parse(json);

    /// <summary>A failed call.</summary>
    public static BasiqException Failure(
        BasiqFailureKind kind, int? status = null, string endpoint = "GET /users/{userId}", TimeSpan? retryAfter = null) =>
        new(new BasiqFailure(kind, "basiq-code")
        {
            StatusCode = status,
            Endpoint = endpoint,
            CorrelationId = "corr-1",
            RetryAfter = retryAfter,
            Title = "Title about gavin@hooli.com",
            Detail = "Detail about gavin@hooli.com",
        });

    /// <summary>Everybody of whom anything is stored.</summary>
    public async Task<IReadOnlyList<string>> UsersAsync() => await Snapshots.Reader.EnumerateUsersAsync(default).Select(user => user.Value).ToListAsync();

    /// <summary>Runs a daily pass by a clock that Basiq's answers confirm, and returns what it did: nothing, where it did not begin.</summary>
    /// <param name="clockOff">By how much this machine's clock is ahead of Basiq's; null where Basiq has not answered yet.</param>
    public async Task<RetentionPass> PassAsync(TimeSpan? clockOff)
    {
        if (clockOff is { } off)
            Get<ClockCheck>().Note(Clock.GetUtcNow() - off);
        await new StartDuePass(Clock).Run(new TimerInfo(), Durable.Client, default);
        return await EndOfPassAsync() ?? new RetentionPass(0, 0, 0);
    }

    /// <summary>Waits for the end of the day's pass.</summary>
    public async Task<RetentionPass?> EndOfPassAsync(Action? betweenLooks = null)
    {
        var instanceId = DueOrchestration.InstanceIdFor(Clock.GetUtcNow());
        var ended = await AppUnderTest.WaitForAsync(
            () => Durable.Client.GetInstanceAsync(instanceId, getInputsAndOutputs: true), found => found is { IsCompleted: true }, betweenLooks);
        Assert.True(ended!.RuntimeStatus is OrchestrationRuntimeStatus.Completed, ended.FailureDetails?.ErrorMessage);
        return JsonSerializer.Deserialize<RetentionPass?>(ended.SerializedOutput ?? "null");
    }

    /// <summary>Ends the engine in the middle of what it does, and has another one go on from the journal.</summary>
    public async Task<EngineUnderTest> RestartEngineAsync()
    {
        await (await _engine.Value).DisposeAsync();
        _engine = NewEngine();
        return await _engine.Value;
    }

    /// <summary>Waits until the engine has nothing to do before time passes.</summary>
    public async Task RestAsync() => await (await _engine.Value).RestAsync();

    private Lazy<Task<EngineUnderTest>> NewEngine() => new(() => EngineUnderTest.StartAsync(
        Path.Combine(_folder, "journal.db"), Clock, _services,
        typeof(RemovalOrchestration), typeof(RemovalActivities), typeof(BasiqRemovalActivities), typeof(DueOrchestration), typeof(DueActivities), typeof(DeliveryOrchestration), typeof(DeliveryActivities)));

    /// <summary>Lets time pass until something has ended that waits for it.</summary>
    public async Task<T> PassTimeAsync<T>(Task<T> ending)
    {
        while (!ending.IsCompleted)
        {
            await Task.WhenAny(ending, Task.Delay(50));
            if (!ending.IsCompleted)
                Clock.Advance(TimeSpan.FromMilliseconds(500));
        }

        return await ending;
    }

    /// <summary>Lets time pass until a removal has ended that was interrupted.</summary>
    public Task EndOfRemovalAsync(UserId userId, string? connectionId = null) => AppUnderTest.WaitForAsync(
        () => Durable.Client.GetInstanceAsync(Removals.InstanceIdFor(userId, connectionId is null ? null : new(connectionId))),
        found => found is null or { IsCompleted: true },
        () => Clock.Advance(TimeSpan.FromMinutes(10)));

    /// <summary>Calls a function as a host does and runs the answer.</summary>
    public async Task<Answer> CallAsync<TFunctions>(
        Func<TFunctions, HttpRequest, Task<IResult>> call,
        string? body = null,
        string query = "",
        string contentType = "application/json",
        string? idempotencyKey = null,
        CancellationToken aborted = default,
        params (string Name, string Value)[] headers)
        where TFunctions : class
    {
        var context = new DefaultHttpContext { RequestServices = _services, RequestAborted = aborted };
        if (body is not null)
        {
            context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
            context.Request.ContentType = contentType;
        }

        if (idempotencyKey is not null)
            context.Request.Headers["Idempotency-Key"] = idempotencyKey;
        foreach (var (name, value) in headers)
            context.Request.Headers[name] = value;
        context.Request.QueryString = new QueryString(query);
        using var written = new MemoryStream();
        context.Response.Body = written;
        var functions = ActivatorUtilities.CreateInstance<TFunctions>(_services);
        var answer = await Get<HttpAnswers>().RunAsync(
            context,
            typeof(TFunctions).Name,
            cancellation =>
            {
                context.RequestAborted = cancellation;
                return call(functions, context.Request);
            },
            aborted);
        await answer.ExecuteAsync(context);
        await context.Response.CompleteAsync();
        return new Answer(
            context.Response.StatusCode, context.Response.Headers, context.Response.ContentType,
            Encoding.UTF8.GetString(written.ToArray()));
    }

    /// <summary>Makes Basiq know these jobs of a user.</summary>
    public void KnowsJobs(UserId userId, params string[] jobIds)
    {
        Basiq.Setup(b => b.ListJobsAsync(userId, It.IsAny<CancellationToken>()))
            .ReturnsAsync([.. jobIds.Select(id => new Job { Id = new(id) })]);
        Basiq.Setup(b => b.GetJobAsync(It.IsNotIn(jobIds.Select(id => new JobId(id))), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, "GET /jobs/{jobId}"));
    }

    /// <summary>Publishes a snapshot with one account of each connection.</summary>
    public Task PublishAsync(UserId userId, params string[] connectionIds) => PublishByAsync("sync-earlier", userId, connectionIds);

    /// <summary>The same by a sync of its own.</summary>
    public async Task PublishByAsync(string syncId, UserId userId, params string[] connectionIds)
    {
        var accounts = connectionIds.Select(id => new ReadOnlyMemory<byte>(JsonSerializer.SerializeToUtf8Bytes(
            new { id = $"account-of-{id}", connection = id, institution = "AU00000" })));
        var now = Clock.GetUtcNow();
        await Get<DueWork>().SetAsync(
            userId, CancellationToken.None, (DueKinds.ConsentCheck, now), (DueKinds.Age, now + Get<IOptions<SnapshotOptions>>().Value.MaxAge));
        await Snapshots.Staging.StageAccountsAsync(userId, new(syncId), accounts, CancellationToken.None);
        await Snapshots.Publisher.PublishAsync(
            new SnapshotPublication(userId, new(syncId), Clock.GetUtcNow(), [.. connectionIds.Select(id => new ConnectionId(id))],
                connectionIds.ToDictionary(id => new AccountId($"account-of-{id}"), _ => (IReadOnlyList<string>)[])),
            CancellationToken.None);
    }

    public void Dispose()
    {
        if (_engine.IsValueCreated)
            _engine.Value.GetAwaiter().GetResult().DisposeAsync().AsTask().GetAwaiter().GetResult();
        _services.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
