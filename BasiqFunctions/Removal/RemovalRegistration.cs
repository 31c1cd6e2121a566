using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Sync;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

/// <summary>Registers how data goes.</summary>
public static class RemovalRegistration
{
    /// <summary>
    /// Adds <see cref="ConsentEnforcement"/>, <see cref="Removals"/> and the receipts with their options (sections <c>Receipts</c> and
    /// <c>Removal</c>, validated at start).
    /// </summary>
    public static IServiceCollection AddRemoval(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<ReceiptOptions>().Bind(configuration.GetSection(ReceiptOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ReceiptOptions>, ReceiptOptionsValidator>());
        services.AddRecordTable<ReceiptOptions>(configuration, ReceiptOptions.Section, options => options.Table);
        services.AddOptions<RemovalOptions>().Bind(configuration.GetSection(RemovalOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RemovalOptions>, RemovalOptionsValidator>());
        services.AddSingleton(provider =>
            new KeptHistory("remove-", provider.GetRequiredService<IOptions<RemovalOptions>>().Value.KeepFinishedFor));
        services.AddInstruments();
        services.TryAddSingleton<DeletionReceipts>();
        services.AddSingleton<IRemovalHistory>(provider => provider.GetRequiredService<DeletionReceipts>());
        services.TryAddSingleton<Removals>();
        services.TryAddSingleton<ConsentEnforcement>();
        services.TryAddSingleton<UserAbsences>();
        services.AddSingleton<IUserRecords>(provider => provider.GetRequiredService<UserAbsences>());
        services.TryAddSingleton<HeldRemovals>();
        services.TryAddSingleton<KeyWitness>();
        services.TryAddSingleton<AbsenceRemoval>();
        services.TryAddSingleton<DueLooks>();
        return services;
    }
}
