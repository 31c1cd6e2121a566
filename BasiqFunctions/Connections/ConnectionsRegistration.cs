using BasiqFunctions.Connections.Institutions;
using BasiqFunctions.Connections.Outages;
using BasiqFunctions.Connections.Visits;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Internal;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Connections;

/// <summary>Registers connections, and the banks there are.</summary>
public static class ConnectionsRegistration
{
    /// <summary>How long the histories of outages are kept; what they told is in the list of deliveries.</summary>
    private static readonly TimeSpan KeepHistoriesFor = TimeSpan.FromDays(1);

    /// <summary>
    /// Adds what the functions of this folder need beyond the Basiq client, the syncs and removal. Options: section <c>Connections</c>, validated
    /// at start.
    /// </summary>
    public static IServiceCollection AddBankConnections(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<ConnectionOptions>().Bind(configuration.GetSection(ConnectionOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ConnectionOptions>, ConnectionOptionsValidator>());
        services.AddRecordTable<ConnectionOptions>(configuration, ConnectionOptions.Section, options => options.Table);
        services.AddHybridCache();
        services.AddOptions<MemoryCacheOptions>().Configure<TimeProvider>((options, clock) => options.Clock = new CacheClock(clock));
        services.TryAddSingleton<InstitutionCatalog>();
        services.TryAddSingleton<OutageNotes>();
        services.AddSingleton<IUserRecords, ConnectionRecords>();
        services.AddSingleton(new KeptHistory(OutageOrchestration.Prefix, KeepHistoriesFor));
        services.TryAddSingleton<BankOutlook>();
        services.AddSingleton<IBankOutlook>(provider => provider.GetRequiredService<BankOutlook>());
        services.TryAddSingleton<VisitBudget>();
        services.TryAddSingleton<ConnectionStates>();
        services.TryAddSingleton<JobLooks>();
        services.AddSingleton<IDueLook>(provider => provider.GetRequiredService<JobLooks>());
        services.TryAddSingleton<ConnectionRefresh>();
        return services;
    }

    /// <summary>What memory holds ends by the app's clock.</summary>
    private sealed class CacheClock(TimeProvider clock) : ISystemClock
    {
        public DateTimeOffset UtcNow => clock.GetUtcNow();
    }
}
