using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>Registers what answers requests with an <c>Idempotency-Key</c>.</summary>
public static class IdempotencyRegistration
{
    /// <summary>
    /// Adds <see cref="IdempotentRequests"/> and its options (section <c>Idempotency</c>, validated at start). Records
    /// go to a table of <see cref="IRecordTables"/>.
    /// </summary>
    public static IServiceCollection AddIdempotency(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<IdempotencyOptions>().Bind(configuration.GetSection(IdempotencyOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<IdempotencyOptions>, IdempotencyOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddRecordTable<IdempotencyOptions>(configuration, IdempotencyOptions.Section, options => options.Table);
        services.TryAddSingleton<IdempotencyRecords>();
        services.TryAddSingleton<AnswerSeal>();
        services.TryAddSingleton(provider => new IdempotentRequests(
            OnFirstUse(provider.GetRequiredService<IdempotencyRecords>),
            OnFirstUse(provider.GetRequiredService<AnswerSeal>),
            provider.GetRequiredService<IOptions<IdempotencyOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<IdempotentRequests>>()));
        services.AddSingleton<IUserRecords>(provider => provider.GetRequiredService<IdempotentRequests>());
        return services;

        // A table that could not be opened is tried again by the next request.
        static Lazy<T> OnFirstUse<T>(Func<T> make) => new(make, LazyThreadSafetyMode.PublicationOnly);
    }
}
