using Azure.Core;
using Azure.Identity;
using Azure.Storage.Blobs;
using BasiqFunctions.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Snapshots;

/// <summary>Registers the snapshot store.</summary>
public static class SnapshotRegistration
{
    private const string Connection = "AzureWebJobsStorage";

    /// <summary>
    /// Adds <see cref="SnapshotStore"/> and its options (section <c>Snapshots</c>, validated at start). Unless an <see
    /// cref="ISnapshotStorage"/> is registered already, snapshots go to the blob storage that <c>AzureWebJobsStorage</c> names: a
    /// connection string, or <c>AzureWebJobsStorage__accountName</c> or <c>__blobServiceUri</c> with the app's identity (and
    /// <c>__clientId</c> for a user-assigned one), as the Functions host takes them (Microsoft Learn, "Connecting to host storage
    /// with an identity").
    /// </summary>
    public static IServiceCollection AddSnapshots(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<SnapshotOptions>().Bind(configuration.GetSection(SnapshotOptions.SectionName)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SnapshotOptions>, SnapshotOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        if (services.All(s => s.ServiceType != typeof(ISnapshotStorage)))
        {
            services.AddSingleton<ISnapshotStorage>(provider =>
                new BlobSnapshotStorage(CreateService(configuration).GetBlobContainerClient(provider.GetRequiredService<IOptions<SnapshotOptions>>().Value.Container)));
            services.AddSingleton<IValidateOptions<SnapshotOptions>>(new BlobConnectionValidator(configuration));
        }
        services.TryAddSingleton<SnapshotStore>();
        services.TryAddSingleton<HttpAnswers>();
        return services;
    }

    /// <exception cref="InvalidOperationException">
    /// A setting is missing or wrong; the message names it and does not quote it.
    /// </exception>
    private static BlobServiceClient CreateService(IConfiguration configuration)
    {
        var section = configuration.GetSection(Connection);
        if (!string.IsNullOrWhiteSpace(section.Value))
        {
            try
            {
                return new BlobServiceClient(section.Value);
            }
            catch (Exception e) when (e is FormatException or ArgumentException)
            {
                throw new InvalidOperationException($"{Connection} is not a storage connection string.");
            }
        }
        TokenCredential Credential() => new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = section["clientId"] });
        if (section["blobServiceUri"] is { Length: > 0 } address)
        {
            return Uri.TryCreate(address, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.IsLoopback)
                ? new BlobServiceClient(uri, Credential())
                : throw new InvalidOperationException($"{Connection}__blobServiceUri is not an https address.");
        }
        if (section["accountName"] is { Length: > 0 } account)
        {
            return account.Length is >= 3 and <= 24 && account.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
                ? new BlobServiceClient(new Uri($"https://{account}.blob.core.windows.net"), Credential())
                : throw new InvalidOperationException($"{Connection}__accountName is not the name of a storage account.");
        }
        throw new InvalidOperationException(
            $"{Connection} is not set: give a connection string, or {Connection}__accountName or {Connection}__blobServiceUri to use the app's identity.");
    }

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
