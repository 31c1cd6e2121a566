using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data.Changes;

/// <summary>Registers the change feed.</summary>
internal static class ChangesRegistration
{
    /// <summary>Adds what reads the feed, and its options (section <c>Changes</c>, validated at start).</summary>
    public static IServiceCollection AddChanges(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<ChangeOptions>().Bind(configuration.GetSection(ChangeOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ChangeOptions>, ChangeOptionsValidator>());
        services.TryAddSingleton<ChangeReader>();
        services.TryAddSingleton<ChangeCursors>();
        return services;
    }
}
