using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BasiqFunctions.Users;

/// <summary>Registers users.</summary>
public static class UsersRegistration
{
    /// <summary>Adds what the functions of this folder need beyond the Basiq client, the syncs, the snapshots and removal.</summary>
    public static IServiceCollection AddUsers(this IServiceCollection services)
    {
        services.TryAddSingleton<DeletionRequests>();
        services.AddSingleton<IUserRecords>(provider => provider.GetRequiredService<DeletionRequests>());
        services.TryAddSingleton<UserRemoval>();
        return services;
    }
}
