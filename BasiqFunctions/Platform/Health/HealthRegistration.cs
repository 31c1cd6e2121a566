using BasiqFunctions.Platform.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BasiqFunctions.Platform.Health;

/// <summary>Registers health.</summary>
public static class HealthRegistration
{
    /// <summary>Adds the health checks and their HTTP client; the dependencies are registered by their own folders.</summary>
    public static IServiceCollection AddHealth(this IServiceCollection services)
    {
        services.AddHttpClient(HealthChecks.HttpClientName)
            .RemoveAllLoggers()
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<HttpAnswers>();
        services.TryAddSingleton<Uptime>();
        services.AddHostedService(provider => provider.GetRequiredService<Uptime>());
        services.TryAddSingleton<HealthChecks>();
        return services;
    }
}
