using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Platform.Records;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tests.Basiq;

/// <summary>The client and the tokens as the app composes them; only Basiq, Key Vault and the clock are stood in for.</summary>
internal sealed class ClientUnderTest : IAsyncDisposable
{
    public const string SettingKey = "api-key-of-the-settings";
    private readonly ServiceProvider _services;

    public ClientUnderTest(params (string Key, string? Value)[] settings)
    {
        Vault = new(Clock);
        _services = Compose(Clock, Basiq, Vault.CreateClient(), Logs, settings);
    }

    /// <summary>Says how the host stands.</summary>
    public ApplicationLifetime Host => (ApplicationLifetime)_services.GetRequiredService<IHostApplicationLifetime>();

    public WatchedClock Clock { get; } = new();

    public StubBasiq Basiq { get; } = new();

    public StubKeyVault Vault { get; }

    public LogCapture Logs { get; } = new();

    public IServiceProvider Services => _services;

    public IBasiqClient Client => _services.GetRequiredService<IBasiqClient>();

    public IServerTokenProvider Tokens => _services.GetRequiredService<IServerTokenProvider>();

    public ValueTask DisposeAsync() => new(_services.DisposeByAsync(Clock));

    /// <summary>Makes a call, letting time pass for its retries.</summary>
    public async Task<T> RunAsync<T>(Task<T> call)
    {
        await Clock.RunUntilAsync(call);
        return await call;
    }

    /// <summary>Makes a call that must fail.</summary>
    public async Task<BasiqFailure> FailureAsync(Task call)
    {
        await Clock.RunUntilAsync(call);
        return (await Assert.ThrowsAsync<BasiqException>(() => call)).Failure;
    }

    /// <summary>Makes a call that must fail without any time passing.</summary>
    public static async Task<BasiqFailure> FailureAtOnceAsync(Task call) =>
        (await Assert.ThrowsAsync<BasiqException>(() => call)).Failure;

    internal static ServiceProvider Compose(
        TimeProvider clock,
        HttpMessageHandler basiq,
        SecretClient vault,
        LogCapture logs,
        params (string Key, string? Value)[] settings) =>
        Compose(clock, basiq, vault, logs, new MemoryRecordTables(), settings);

    /// <summary>An instance of the app; instances share tables.</summary>
    internal static ServiceProvider Compose(
        TimeProvider clock,
        HttpMessageHandler basiq,
        SecretClient vault,
        LogCapture logs,
        IRecordTables tables,
        (string Key, string? Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("Basiq:BaseUrl", "https://basiq.test"), new("Basiq:ApiKey", SettingKey)])
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value)))
            .Build();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(logs));
        services.AddSingleton(clock);
        services.AddSingleton(vault);
        services.AddSingleton(tables);
        services.AddSingleton<IHostApplicationLifetime, ApplicationLifetime>();
        services.AddBasiqClient(configuration).AddTokens(configuration);
        services.AddHttpClient(BasiqTransport.HttpClientName).ConfigurePrimaryHttpMessageHandler(() => basiq);
        return services.BuildServiceProvider(validateScopes: true);
    }
}
