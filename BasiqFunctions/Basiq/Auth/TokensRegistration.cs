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
    /// Adds <see cref="IServerTokenProvider"/>, <see cref="IApiKeyProvider"/>, the transport of authorized calls to Basiq, and Key Vault.
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
        services.TryAddSingleton<TokenRequestLimiter>();
        services.TryAddSingleton(provider => new TokenEndpoint(
            TransportOf(provider, new ApiKeyHandler(provider.GetRequiredService<IApiKeyProvider>(), provider.GetRequiredService<ApiKeyRefusals>())),
            provider.GetRequiredService<TokenRequestLimiter>()));
        services.TryAddSingleton<ITokenEndpoint>(provider => provider.GetRequiredService<TokenEndpoint>());
        services.TryAddSingleton<IClientTokens, ClientTokens>();
        services.TryAddSingleton(provider => TransportOf(provider, new ServerTokenHandler(provider.GetRequiredService<IServerTokenProvider>())));
        return services;
    }

    /// <summary>Outermost is what authorizes: a refused token or key is replaced outside of retries and time-outs.</summary>
    private static BasiqTransport TransportOf(IServiceProvider provider, DelegatingHandler authorization)
    {
        authorization.InnerHandler = provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(BasiqTransport.HttpClientName);
        return ActivatorUtilities.CreateInstance<BasiqTransport>(provider, authorization);
    }

    private static ServerTokenProvider CreateTokenProvider(IServiceProvider provider)
    {
        var tokens = ActivatorUtilities.CreateInstance<ServerTokenProvider>(provider);
        provider.GetRequiredService<Instruments>().ObserveTokenAge(() => tokens.GetHealth().Age);
        return tokens;
    }
}
