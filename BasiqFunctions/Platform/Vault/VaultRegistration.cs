using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault.LocalVault;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Vault;

/// <summary>Registers Key Vault.</summary>
public static class VaultRegistration
{
    /// <summary>
    /// Adds, unless the host has brought its own, the <see cref="SecretClient"/> of <c>KeyVault:Uri</c> or <c>KeyVault:LocalFile</c>
    /// (section <c>KeyVault</c>, validated at start).
    /// </summary>
    public static IServiceCollection AddKeyVault(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<KeyVaultOptions>()
            .Bind(configuration.GetSection(KeyVaultOptions.Section))
            .PostConfigure(options => options.LocalFile ??= DefaultLocalFile(options, configuration))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<KeyVaultOptions>>(new KeyVaultOptionsValidator(UsesOwnSecretClient, RunsInAzure));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(CreateSecretClient);
        return services;

        bool UsesOwnSecretClient() =>
            services.LastOrDefault(service => service.ServiceType == typeof(SecretClient))?.ImplementationFactory
                is { } factory && factory.Method == ((Func<IServiceProvider, SecretClient>)CreateSecretClient).Method;
    }

    private static SecretClient CreateSecretClient(IServiceProvider provider)
    {
        // Validated: exactly one of the two is set.
        var options = provider.GetRequiredService<IOptions<KeyVaultOptions>>().Value;
        if (!string.IsNullOrEmpty(options.Uri))
            return KeyVaultClient.Create(new Uri(options.Uri), AppCredential.Choose(Environment.GetEnvironmentVariable));

        var file = Path.GetFullPath(options.LocalFile!);
        Log.SecretsInFile(provider.GetRequiredService<ILogger<SecretClient>>(), file);
        return LocalKeyVaultTransport.CreateClient(new LocalKeyVault(file, provider.GetRequiredService<TimeProvider>()));
    }

    /// <summary>
    /// Core Tools say <c>Development</c> to the worker that they start (Microsoft Learn, Develop Azure Functions locally): there the
    /// app works before a vault exists. The file lies in the user's profile, since Core Tools empty the worker's folder at each start,
    /// also where the profile has no folder for data yet.
    /// </summary>
    private static string? DefaultLocalFile(KeyVaultOptions options, IConfiguration configuration) =>
        string.IsNullOrEmpty(options.Uri) && !RunsInAzure() && configuration["AZURE_FUNCTIONS_ENVIRONMENT"] is "Development"
            ? Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
                nameof(BasiqFunctions),
                "keyvault.json")
            : null;

    /// <summary>Told by what the platform gives every app there: an instance id, and an endpoint for its managed identity.</summary>
    private static bool RunsInAzure() =>
        HasEnvironmentVariable(AppCredential.IdentityEndpoint) || HasEnvironmentVariable("WEBSITE_INSTANCE_ID");

    private static bool HasEnvironmentVariable(string name) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name));
}
