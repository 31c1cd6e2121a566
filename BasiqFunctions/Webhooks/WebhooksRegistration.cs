using BasiqFunctions.Basiq;
using BasiqFunctions.Connections;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Sync;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Webhooks;

/// <summary>Registers webhooks and what events do.</summary>
public static class WebhooksRegistration
{
    /// <summary>
    /// Adds what the functions of this folder need beyond Basiq, the tokens, syncs, snapshots, consents and users. Options: section
    /// <c>Webhooks</c>, validated at start.
    /// </summary>
    public static IServiceCollection AddWebhooks(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<WebhookOptions>().Bind(configuration.GetSection(WebhookOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<WebhookOptions>, WebhookOptionsValidator>());
        services.AddRecordTable<WebhookOptions>(configuration, WebhookOptions.Section, options => options.Table);
        services.AddSingleton(provider =>
            new KeptHistory(EventOrchestration.Prefix, provider.GetRequiredService<IOptions<WebhookOptions>>().Value.RememberFor));
        services.AddInstruments();
        services.TryAddSingleton<WebhookSecrets>();
        services.TryAddSingleton<EventNotes>();
        services.AddSingleton<IUserRecords>(provider => provider.GetRequiredService<EventNotes>());
        services.TryAddSingleton(provider => new ConnectionAttentions(provider.GetRequiredKeyedService<IRecordTable>(WebhookOptions.Section)));
        services.TryAddSingleton<EventActions>();
        services.TryAddSingleton<EventReconciliation>();
        services.TryAddSingleton(provider => new WebhookReceiver(
            provider.GetRequiredService<WebhookSecrets>(),
            provider.GetRequiredService<IBasiqAddress>(),
            provider.GetRequiredService<Instruments>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<WebhookReceiver>>()));
        services.TryAddSingleton(provider => new Subscriptions(
            provider.GetRequiredService<IBasiqClient>(),
            provider.GetRequiredService<WebhookSecrets>(),
            provider.GetRequiredKeyedService<IRecordTable>(WebhookOptions.Section),
            provider.GetRequiredService<ILogger<Subscriptions>>()));
        services.AddSingleton<IJobNews>(provider => provider.GetRequiredService<Subscriptions>());
        return services;
    }
}
