using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Reports;

/// <summary>Registers what a lender asks for.</summary>
public static class ReportsRegistration
{
    /// <summary>Adds what the functions of reports and identities need. Options: section <c>Reports</c>, validated at start.</summary>
    public static IServiceCollection AddReports(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<ReportOptions>().Bind(configuration.GetSection(ReportOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ReportOptions>, ReportOptionsValidator>());
        services.AddRecordTable<ReportOptions>(configuration, ReportOptions.Section, options => options.Table);
        services.AddSingleton(provider => new KeptHistory(ReportOrchestration.Prefix, provider.GetRequiredService<IOptions<ReportOptions>>().Value.KeepFor));
        services.TryAddSingleton<ReportSeal>();
        services.TryAddSingleton<ReportQuota>();
        services.TryAddSingleton(provider => new ReportStore(
            provider.GetRequiredKeyedService<IRecordTable>(ReportOptions.Section),
            provider.GetRequiredService<ISnapshotStorage>(),
            provider.GetRequiredService<ReportSeal>(),
            provider.GetRequiredService<DueWork>(),
            provider.GetRequiredService<IOptions<ReportOptions>>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IDueLook>(provider => provider.GetRequiredService<ReportStore>());
        services.TryAddSingleton<IKeptReports>(provider => provider.GetRequiredService<ReportStore>());
        services.TryAddSingleton(provider => new UserReports(
            provider.GetRequiredService<IBasiqClient>(),
            provider.GetRequiredService<ReportStore>(),
            provider.GetRequiredService<ReportQuota>(),
            provider.GetServices<IConsentCheck>(),
            provider.GetRequiredService<IOptions<ReportOptions>>(),
            new BankDays(provider.GetRequiredService<IOptions<SnapshotOptions>>().Value.TimeZone),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<UserReports>>()));
        return services;
    }
}
