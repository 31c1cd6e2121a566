using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Consents;
using BasiqFunctions.Data;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Health;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Sync;
using BasiqFunctions.Users;
using BasiqFunctions.Webhooks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BasiqFunctions;

/// <summary>Composes the app, for whichever host runs it.</summary>
public static class BasiqFunctionsRegistration
{
    /// <summary>
    /// Adds everything that the functions need. A host that brings its own clock, secret client, snapshot storage or tables registers
    /// them before.
    /// </summary>
    public static IServiceCollection AddBasiqFunctions(this IServiceCollection services, IConfiguration configuration)
    {
        Settings.ReadDurations(configuration, Settings.Sections);
        services.TryAddSingleton(TimeProvider.System);
        return services
            .AddHttpAnswers(configuration)
            .AddBasiqClient(configuration)
            .AddTokens(configuration)
            .AddSnapshots(configuration)
            .AddIdempotency(configuration)
            .AddSync(configuration)
            .AddConsents(configuration)
            .AddUsers(configuration)
            .AddWebhooks(configuration)
            .AddHealth();
    }
}
