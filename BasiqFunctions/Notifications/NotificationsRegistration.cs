using Azure.Messaging.EventGrid;
using Azure.Storage.Queues;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Sync;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Notifications;

/// <summary>Registers notifications.</summary>
public static class NotificationsRegistration
{
    /// <summary>How long the histories of deliveries are kept; their list has all that is worth knowing.</summary>
    private static readonly TimeSpan KeepHistoriesFor = TimeSpan.FromDays(1);

    /// <summary>
    /// Adds what tells the team's backend. Options: section <c>Notifications</c>, validated at start. Whoever brings a <see cref="QueueClient"/>
    /// or an <see cref="EventGridPublisherClient"/> registers it before.
    /// </summary>
    public static IServiceCollection AddNotifications(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<NotificationOptions>().Bind(configuration.GetSection(NotificationOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<NotificationOptions>, NotificationOptionsValidator>());
        services.AddRecordTable<NotificationOptions>(configuration, NotificationOptions.Section, options => options.Table);
        services.AddSingleton(new KeptHistory(DeliveryOrchestration.Prefix, KeepHistoriesFor));
        services.AddInstruments();
        services.TryAddSingleton<ReceiverAddresses>();
        services.TryAddSingleton<NotificationSecrets>();
        services.TryAddSingleton<ReceiverGates>();
        services.TryAddSingleton(provider => new Senders(provider.GetServices<INotificationSender>(), provider.GetRequiredService<ReceiverGates>()));
        services.TryAddSingleton(provider => new NotificationSubscriptions(
            provider.GetRequiredKeyedService<IRecordTable>(NotificationOptions.Section),
            provider.GetRequiredService<NotificationSecrets>(),
            provider.GetRequiredService<ReceiverAddresses>(),
            provider.GetRequiredService<IOptions<NotificationOptions>>(),
            provider.GetRequiredService<Instruments>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<NotificationSubscriptions>>()));
        services.TryAddSingleton(provider => new DeliveryQueues(
            provider.GetRequiredKeyedService<IRecordTable>(NotificationOptions.Section),
            provider.GetRequiredService<IOptions<NotificationOptions>>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddHttpClient(WebhookSender.HttpClientName, client => client.Timeout = WebhookSender.Patience)
            .RemoveAllLoggers()
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(provider => WebhookSender.Connections(provider.GetRequiredService<ReceiverAddresses>()));
        services.AddSingleton<INotificationSender, WebhookSender>();
        if (configuration[$"{NotificationOptions.Section}:{nameof(NotificationOptions.Queue)}"] is { Length: > 0 } queue)
        {
            services.TryAddSingleton(_ => Connect(configuration, queue));
            services.AddSingleton<INotificationSender, QueueSender>();
        }

        if (configuration[$"{NotificationOptions.Section}:{nameof(NotificationOptions.EventGrid)}"] is { Length: > 0 } topic)
        {
            services.TryAddSingleton(_ => new EventGridPublisherClient(new Uri(topic), AppCredential.Choose(Environment.GetEnvironmentVariable)));
            services.AddSingleton<INotificationSender, EventGridSender>();
        }

        return services;
    }

    private static QueueClient Connect(IConfiguration configuration, string name)
    {
        // As the queue trigger of Functions reads messages.
        var options = new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 };
        return HostStorage.Connect(
            configuration,
            "queue",
            connection => new QueueClient(connection, name, options),
            (address, credential) => new QueueServiceClient(address, credential, options).GetQueueClient(name));
    }
}
