using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BasiqFunctions.Basiq.Auth;

/// <summary>Registers the server token and the API key.</summary>
public static class TokensRegistration
{
    /// <summary>
    /// Adds <see cref="IServerTokenProvider"/>, <see cref="IApiKeyProvider"/>, the handler that authorizes calls to Basiq, and Key
    /// Vault.
    /// </summary>
    public static IServiceCollection AddTokens(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddKeyVault(configuration);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ServerTokenVault>();
        services.AddInstruments();
        services.TryAddSingleton<IServerTokenProvider>(CreateTokenProvider);
        services.TryAddSingleton<IApiKeyProvider, ApiKeyProvider>();
        services.TryAddSingleton<ApiKeyRefusals>();
        services.TryAddTransient<AuthorizationHandler>();

        // First in the list is outermost: a refused token is replaced outside of retries and time-outs.
        services.AddHttpClient(BasiqClient.HttpClientName).ConfigureAdditionalHttpMessageHandlers(
            (handlers, provider) => handlers.Insert(0, provider.GetRequiredService<AuthorizationHandler>()));
        return services;
    }

    private static ServerTokenProvider CreateTokenProvider(IServiceProvider provider)
    {
        var tokens = ActivatorUtilities.CreateInstance<ServerTokenProvider>(provider);
        provider.GetRequiredService<Instruments>().ObserveTokenAge(() => tokens.GetHealth().Age);
        return tokens;
    }
}
