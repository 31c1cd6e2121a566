using BasiqFunctions.Connections;
using BasiqFunctions.Consents;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Users;

/// <summary>Registers users, client tokens, consent and connections.</summary>
public static class UsersRegistration
{
    /// <summary>
    /// Adds what the functions of this folder need beyond the Basiq client, the tokens, the syncs and the snapshots. Options:
    /// section <c>Consent</c>, validated at start.
    /// </summary>
    public static IServiceCollection AddUsers(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<ConsentOptions>().Bind(configuration.GetSection(ConsentOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ConsentOptions>, ConsentOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<HttpAnswers>();
        services.TryAddSingleton<ConsentStateKey>();
        services.TryAddSingleton<ConsentStates>();
        services.TryAddSingleton<ReturnUrls>();
        services.TryAddSingleton<ConsentLinkRequestValidator>();
        services.TryAddSingleton<ConsentLinks>();
        services.TryAddSingleton<ConsentReturns>();
        services.TryAddSingleton<ConnectionRefresh>();
        services.TryAddSingleton<DeletionRequests>();
        services.AddSingleton<IKeptOfUser>(provider => provider.GetRequiredService<DeletionRequests>());
        services.TryAddSingleton<UserRemoval>();
        return services;
    }
}
