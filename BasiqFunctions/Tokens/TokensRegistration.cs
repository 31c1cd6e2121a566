using Azure.Core;
using Azure.Identity;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Basiq;
using BasiqFunctions.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tokens;

/// <summary>Registers the server token, the API key and Key Vault.</summary>
public static class TokensRegistration
{
    /// <summary>
    /// Adds <see cref="IServerTokenProvider"/>, <see cref="IApiKeyProvider"/>, the handler that authorizes calls to Basiq and,
    /// unless the host has brought its own, the <see cref="SecretClient"/> of <c>KeyVault:Uri</c>.
    /// </summary>
    public static IServiceCollection AddTokens(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<KeyVaultOptions>().Bind(configuration.GetSection(KeyVaultOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<KeyVaultOptions>>(new KeyVaultOptionsValidator(UsesOwnSecretClient));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(CreateSecretClient);
        services.TryAddSingleton<ServerTokenVault>();
        services.AddInstruments();
        services.TryAddSingleton<IServerTokenProvider>(CreateTokenProvider);
        services.TryAddSingleton<IApiKeyProvider, ApiKeyProvider>();
        services.TryAddTransient<AuthorizationHandler>();

        // First in the list is outermost: a refused token is replaced outside of retries and time-outs.
        services.AddHttpClient(BasiqClient.HttpClientName).ConfigureAdditionalHttpMessageHandlers(
            (handlers, provider) => handlers.Insert(0, provider.GetRequiredService<AuthorizationHandler>()));
        return services;

        bool UsesOwnSecretClient() =>
            services.LastOrDefault(service => service.ServiceType == typeof(SecretClient))?.ImplementationFactory
                is { } factory && factory.Method == ((Func<IServiceProvider, SecretClient>)CreateSecretClient).Method;
    }

    private static ServerTokenProvider CreateTokenProvider(IServiceProvider provider)
    {
        var tokens = ActivatorUtilities.CreateInstance<ServerTokenProvider>(provider);
        provider.GetRequiredService<Instruments>().ObserveTokenAge(() => tokens.GetHealth().Age);
        return tokens;
    }

    private static SecretClient CreateSecretClient(IServiceProvider provider) =>
        new(
            new Uri(provider.GetRequiredService<IOptions<KeyVaultOptions>>().Value.Uri
                ?? throw new OptionsValidationException("KeyVault", typeof(KeyVaultOptions), ["KeyVault:Uri is missing."])),
            Credential(),
            new SecretClientOptions
            {
                Retry = { MaxRetries = 2, Delay = TimeSpan.FromMilliseconds(300), NetworkTimeout = TimeSpan.FromSeconds(5) },
            });

    /// <summary>
    /// In Azure the managed identity alone; elsewhere the developer's own tools. A narrow chain fails fast and never signs in
    /// with a credential that nobody meant (Microsoft Learn, Credential chains in the Azure Identity library for .NET).
    /// </summary>
    private static TokenCredential Credential() =>
        Environment.GetEnvironmentVariable("IDENTITY_ENDPOINT") is { Length: > 0 }
            ? new ManagedIdentityCredential(
                Environment.GetEnvironmentVariable("AZURE_CLIENT_ID") is { Length: > 0 } clientId
                    ? ManagedIdentityId.FromUserAssignedClientId(clientId)
                    : ManagedIdentityId.SystemAssigned)
            : new DefaultAzureCredential(new DefaultAzureCredentialOptions
            {
                ExcludeEnvironmentCredential = true,
                ExcludeWorkloadIdentityCredential = true,
                ExcludeManagedIdentityCredential = true,
                ExcludeInteractiveBrowserCredential = true,
            });
}
