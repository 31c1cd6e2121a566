using BasiqFunctions.Platform.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Sync;

/// <summary>Registers syncs.</summary>
public static class SyncRegistration
{
    /// <summary>Adds what the sync functions, the orchestration and its activities need beyond Basiq and the snapshots.</summary>
    public static IServiceCollection AddSync(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<SyncOptions>().Bind(configuration.GetSection(SyncOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<SyncOptions>, SyncOptionsValidator>();
        services.AddSingleton<IValidateOptions<SyncOptions>, TokenPatienceValidator>();
        services.AddSingleton(provider =>
            new KeptHistory(SyncIds.Prefix, provider.GetRequiredService<IOptions<SyncOptions>>().Value.KeepFinishedFor));
        services.AddInstruments().AddSingleton<Syncs>().AddSingleton<WantedAccounts>().AddSingleton<Challenges>().AddSingleton<JobOutlook>();
        return services;
    }
}
