using Azure.Storage.Blobs;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.Data.Exports;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data;

/// <summary>Registers the snapshot store.</summary>
public static class SnapshotRegistration
{
    /// <summary>
    /// Adds what stores, publishes, reads and removes snapshots, and its options (section <c>Snapshots</c>, validated at start). Unless an <see
    /// cref="ISnapshotStorage"/> is registered already, snapshots go to the blob storage of <see cref="HostStorage"/>.
    /// </summary>
    public static IServiceCollection AddSnapshots(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<SnapshotOptions>().Bind(configuration.GetSection(SnapshotOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SnapshotOptions>, SnapshotOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        if (services.All(s => s.ServiceType != typeof(ISnapshotStorage)))
        {
            services.AddSingleton<ISnapshotStorage>(provider =>
                new BlobSnapshotStorage(CreateService(configuration).GetBlobContainerClient(provider.GetRequiredService<IOptions<SnapshotOptions>>().Value.Container)));
            services.AddSingleton<IValidateOptions<SnapshotOptions>>(new BlobConnectionValidator(configuration));
        }
        services.AddInstruments();
        services.AddChanges(configuration);
        services.TryAddSingleton<SnapshotManifests>();
        services.TryAddSingleton<DamagedAccounts>();
        services.TryAddSingleton<SnapshotStaging>();
        services.TryAddSingleton<SnapshotPublisher>();
        services.TryAddSingleton<SnapshotReader>();
        services.TryAddSingleton<SnapshotRemoval>();
        services.TryAddSingleton<ExportReader>();
        services.TryAddSingleton<HttpAnswers>();
        return services;
    }

    internal static BlobServiceClient CreateService(IConfiguration configuration) =>
        HostStorage.Connect(
            configuration,
            "blob",
            connection => new BlobServiceClient(connection),
            (address, credential) => new BlobServiceClient(address, credential));

    /// <summary>Makes a wrong connection stop the start, not the first request.</summary>
    private sealed class BlobConnectionValidator(IConfiguration configuration) : IValidateOptions<SnapshotOptions>
    {
        public ValidateOptionsResult Validate(string? name, SnapshotOptions options)
        {
            try
            {
                CreateService(configuration);
                return ValidateOptionsResult.Success;
            }
            catch (InvalidOperationException e)
            {
                return ValidateOptionsResult.Fail(e.Message);
            }
        }
    }
}
