using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>Registers what the end of consents takes.</summary>
public static class ConsentsRegistration
{
    /// <summary>
    /// Adds <see cref="ConsentEnd"/>, <see cref="Removals"/> and the receipts with their options (sections <c>Receipts</c> and
    /// <c>Removal</c>, validated at start).
    /// </summary>
    public static IServiceCollection AddConsents(this IServiceCollection services, IConfiguration configuration)
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
        services.AddSingleton<IKeptOfUser>(provider => provider.GetRequiredService<IdempotentRequests>());
        services.AddSingleton<IConsentCheck, ConsentCheck>();
        services.TryAddSingleton<Removals>();
        services.TryAddSingleton<ConsentEnd>();
        services.TryAddSingleton<ConsentWarnings>();
        services.AddSingleton<IKeptOfUser>(provider => provider.GetRequiredService<ConsentWarnings>());
        services.TryAddSingleton<UserConsents>();
        services.TryAddSingleton<UserAbsences>();
        services.AddSingleton<IKeptOfUser>(provider => provider.GetRequiredService<UserAbsences>());
        services.TryAddSingleton<HeldRemovals>();
        services.TryAddSingleton<KeyWitness>();
        services.TryAddSingleton<AbsenceRemoval>();
        services.TryAddSingleton<DueLooks>();
        return services;
    }
}
