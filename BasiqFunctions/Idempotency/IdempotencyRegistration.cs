using Azure.Data.Tables;
using BasiqFunctions.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Idempotency;

/// <summary>Registers what answers requests with an <c>Idempotency-Key</c>.</summary>
public static class IdempotencyRegistration
{
    /// <summary>
    /// Adds <see cref="IdempotentRequests"/> and its options (section <c>Idempotency</c>, validated at start). Unless the host has
    /// brought a store, records go to the table storage of <see cref="HostStorage"/>.
    /// </summary>
    public static IServiceCollection AddIdempotency(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<IdempotencyOptions>().Bind(configuration.GetSection(IdempotencyOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<IdempotencyOptions>, IdempotencyOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        if (services.All(service => service.ServiceType != typeof(IIdempotencyStore)))
        {
            services.AddSingleton<IIdempotencyStore>(provider => new TableIdempotencyStore(
                Connect(configuration).GetTableClient(provider.GetRequiredService<IOptions<IdempotencyOptions>>().Value.Table)));
            services.AddSingleton<IValidateOptions<IdempotencyOptions>>(new TableConnectionValidator(configuration));
        }

        services.TryAddSingleton<AnswerSeal>();
        services.TryAddSingleton(provider => new IdempotentRequests(
            provider.GetRequiredService<IIdempotencyStore>(),
            provider.GetRequiredService<AnswerSeal>(),
            provider.GetRequiredService<IOptions<IdempotencyOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<IdempotentRequests>>()));
        return services;
    }

    private static TableServiceClient Connect(IConfiguration configuration) =>
        HostStorage.Connect(
            configuration,
            "table",
            connection => new TableServiceClient(connection),
            (address, credential) => new TableServiceClient(address, credential));

    /// <summary>Makes a wrong connection stop the start, not the first request.</summary>
    private sealed class TableConnectionValidator(IConfiguration configuration) : IValidateOptions<IdempotencyOptions>
    {
        public ValidateOptionsResult Validate(string? name, IdempotencyOptions options)
        {
            try
            {
                Connect(configuration);
                return ValidateOptionsResult.Success;
            }
            catch (InvalidOperationException e)
            {
                return ValidateOptionsResult.Fail(e.Message);
            }
        }
    }
}
