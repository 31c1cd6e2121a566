using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BasiqFunctions.Connections;

/// <summary>Registers connections.</summary>
public static class ConnectionsRegistration
{
    /// <summary>Adds what the functions of this folder need beyond the Basiq client, the syncs and removal.</summary>
    public static IServiceCollection AddBankConnections(this IServiceCollection services)
    {
        services.TryAddSingleton<ConnectionRefresh>();
        services.TryAddSingleton<ConnectionRemoval>();
        return services;
    }
}
