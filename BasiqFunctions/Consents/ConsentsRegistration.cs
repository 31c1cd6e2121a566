using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Sync;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>Registers consents, their links and client tokens.</summary>
public static class ConsentsRegistration
{
    /// <summary>
    /// Adds what the functions of this folder need beyond the Basiq client, the tokens, the syncs and removal. Options: section
    /// <c>Consent</c>, validated at start.
    /// </summary>
    public static IServiceCollection AddConsents(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<ConsentOptions>().Bind(configuration.GetSection(ConsentOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ConsentOptions>, ConsentOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<HttpAnswers>();
        services.TryAddSingleton<ConsentStates>();
        services.TryAddSingleton<ReturnUrls>();
        services.TryAddSingleton<ConsentLinkRequestValidator>();
        services.TryAddSingleton<ConsentLinks>();
        services.TryAddSingleton<ConsentReturns>();
        services.AddSingleton<IConsentCheck, ConsentCheck>();
        services.TryAddSingleton<ConsentWarnings>();
        services.AddSingleton<IUserRecords>(provider => provider.GetRequiredService<ConsentWarnings>());
        services.TryAddSingleton<UserConsents>();
        return services;
    }
}
