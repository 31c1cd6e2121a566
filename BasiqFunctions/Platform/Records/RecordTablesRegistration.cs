using Azure.Data.Tables;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Records;

/// <summary>Registers tables of small records.</summary>
internal static class RecordTablesRegistration
{
    /// <summary>
    /// Adds a table: whoever takes an <see cref="IRecordTable"/> keyed by <paramref name="key"/> gets it, and expired records are
    /// removed from it. Unless the host has brought tables, it is one of the table storage of <see cref="HostStorage"/>.
    /// </summary>
    /// <typeparam name="TOptions">The options that name the table, validated at start.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The app's settings.</param>
    /// <param name="key">What the feature calls it.</param>
    /// <param name="name">Its name.</param>
    public static IServiceCollection AddRecordTable<TOptions>(
        this IServiceCollection services, IConfiguration configuration, string key, Func<TOptions, string> name)
        where TOptions : class
    {
        if (services.All(service => service.ServiceType != typeof(IRecordTables)))
        {
            services.AddSingleton<IRecordTables>(_ => new AzureRecordTables(Connect(configuration)));
            services.AddSingleton<IValidateOptions<TOptions>>(new TableConnectionValidator<TOptions>(configuration));
        }

        AddDue(services, configuration);
        services.AddKeyedSingleton(
            key,
            (provider, _) => (IRecordTable)new EndingRecordTable(
                Open(provider, key, name(provider.GetRequiredService<IOptions<TOptions>>().Value)), key, provider.GetRequiredService<DueWork>()));
        services.AddSingleton(new RecordTableKey(key));
        return services;
    }

    /// <summary>Adds what every table needs, once: its records end when they are due.</summary>
    private static void AddDue(IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(service => service.ServiceType == typeof(DueWork)))
            return;
        services.AddOptions<DueOptions>().Bind(configuration.GetSection(DueOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<DueOptions>, DueOptionsValidator>());
        services.AddKeyedSingleton(
            DueOptions.Section, (provider, _) => Open(provider, DueOptions.Section, provider.GetRequiredService<IOptions<DueOptions>>().Value.Table));
        services.AddSingleton(new RecordTableKey(DueOptions.Section));
        services.AddSingleton<DueWork>();
        services.AddInstruments();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ClockCheck>();
        services.TryAddSingleton<RecordTableList>();
    }

    private static IRecordTable Open(IServiceProvider provider, string key, string name) => new CheckedRecordTable(
        provider.GetRequiredService<IRecordTables>().Open(name),
        key,
        provider.GetRequiredService<Instruments>(),
        provider.GetRequiredService<TimeProvider>(),
        provider.GetRequiredService<ILogger<CheckedRecordTable>>());

    internal static TableServiceClient Connect(IConfiguration configuration) =>
        HostStorage.Connect(
            configuration,
            "table",
            connection => new TableServiceClient(connection),
            (address, credential) => new TableServiceClient(address, credential));

    /// <summary>Makes a wrong connection stop the start, not the first request.</summary>
    private sealed class TableConnectionValidator<TOptions>(IConfiguration configuration) : IValidateOptions<TOptions>
        where TOptions : class
    {
        public ValidateOptionsResult Validate(string? name, TOptions options)
        {
            try
            {
                Connect(configuration);
                return ValidateOptionsResult.Success;
            }
            catch (InvalidOperationException e)
            {
                return ValidateOptionsResult.Fail(e.Message);
            }
        }
    }
}
