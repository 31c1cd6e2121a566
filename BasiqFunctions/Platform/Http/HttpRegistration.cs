using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Http;

/// <summary>Registers what every HTTP function runs in.</summary>
public static class HttpRegistration
{
    /// <summary>Adds <see cref="HttpAnswers"/> and its options (section <c>Http</c>, validated at start).</summary>
    public static IServiceCollection AddHttpAnswers(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<HttpOptions>().Bind(configuration.GetSection(HttpOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<HttpOptions>, HttpOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<HttpAnswers>();
        return services;
    }
}
