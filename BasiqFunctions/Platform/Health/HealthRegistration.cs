using BasiqFunctions.Platform.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BasiqFunctions.Platform.Health;

/// <summary>Registers health.</summary>
public static class HealthRegistration
{
    /// <summary>Adds what asks the dependencies.</summary>
    public static IServiceCollection AddHealth(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<HttpAnswers>();
        services.TryAddSingleton<Uptime>();
        services.AddHostedService(provider => provider.GetRequiredService<Uptime>());
        services.TryAddSingleton<HealthChecks>();
        return services;
    }

    /// <summary>Adds a dependency; health's answer has them in the order in which they were added.</summary>
    internal static IServiceCollection AddDependency<T>(this IServiceCollection services)
        where T : class, IDependency => services.AddSingleton<IDependency, T>();
}
