using BasiqFunctions.LocalHost;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Tests.Hosting;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Orchestrations;

/// <summary>LocalHost's orchestration engine alone, on a journal in a folder, with orchestrators of the test's own.</summary>
internal sealed class EngineUnderTest : IAsyncDisposable
{
    private readonly OrchestrationEngine _engine;
    private readonly Journal _journal;
    private readonly ServiceProvider? _own;
    private readonly IServiceProvider _services;

    private EngineUnderTest(
        OrchestrationEngine engine, Journal journal, IServiceProvider services, TimeProvider clock, LogCapture logs, ServiceProvider? own)
    {
        (_engine, _journal, _services, _own, Logs) = (engine, journal, services, own, logs);
        Client = new LocalDurableTaskClient(engine, journal, clock);
    }

    public LocalDurableTaskClient Client { get; }

    public LogCapture Logs { get; }

    public IServiceProvider Services => _services;

    public static Task<EngineUnderTest> StartAsync(TemporaryDirectory state, TimeProvider clock, object probe, params Type[] functions) =>
        StartAsync(state, clock, probe, () => { }, functions);

    /// <summary>Starts one on a journal to which something happens when it has just been opened.</summary>
    public static async Task<EngineUnderTest> StartAsync(
        TemporaryDirectory state, TimeProvider clock, object probe, Action opened, params Type[] functions)
    {
        var logs = new LogCapture();
        var services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(logs).SetMinimumLevel(LogLevel.Trace))
            .AddSingleton(clock)
            .AddInstruments()
            .AddSingleton(probe.GetType(), probe)
            .BuildServiceProvider();
        return await StartAsync(Path.Combine(state.Path, "journal.db"), clock, services, logs, services, opened, functions);
    }

    /// <summary>The same with the services of whoever disposes of them.</summary>
    public static Task<EngineUnderTest> StartAsync(string journal, TimeProvider clock, IServiceProvider services, params Type[] functions) =>
        StartAsync(journal, clock, services, new LogCapture(), null, () => { }, functions);

    private static async Task<EngineUnderTest> StartAsync(
        string path, TimeProvider clock, IServiceProvider services, LogCapture logs, ServiceProvider? own, Action opened, Type[] functions)
    {
        var journal = Journal.Open(path);
        opened();
        var engine = new OrchestrationEngine(
            journal, FunctionCatalog.Of(functions), services, clock, services.GetRequiredService<ILoggerFactory>(), new LocalHostOptions());
        await engine.StartAsync(CancellationToken.None);
        return new EngineUnderTest(engine, journal, services, clock, logs, own);
    }

    /// <summary>Waits for an orchestration's end, though not for ever.</summary>
    public async Task<OrchestrationMetadata> EndOfAsync(string instanceId)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        return await Client.WaitForInstanceCompletionAsync(instanceId, getInputsAndOutputs: true, patience.Token);
    }

    /// <summary>Lets time pass until an orchestration ends, a step whenever nothing is left to do before: a busy machine loses no time.</summary>
    public async Task<OrchestrationMetadata> EndOfAsync(string instanceId, FakeTimeProvider clock, TimeSpan step)
    {
        for (var steps = 0; ; steps++)
        {
            Assert.True(steps < 20_000, $"{instanceId} never ends.");
            await RestAsync();
            if (await Client.GetInstanceAsync(instanceId, getInputsAndOutputs: true) is { IsCompleted: true } ended)
                return ended;
            clock.Advance(step);
        }
    }

    /// <summary>Waits until nothing is left to do before time passes.</summary>
    public async Task RestAsync()
    {
        while (!_engine.IsAtRest)
            await Task.Delay(1);
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.StopAsync(CancellationToken.None);
        _engine.Dispose();
        await _journal.DisposeAsync();
        if (_own is not null)
            await _own.DisposeAsync();
    }
}
