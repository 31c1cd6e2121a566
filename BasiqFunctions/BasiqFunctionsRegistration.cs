using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Connections;
using BasiqFunctions.Consents;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.Notifications;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Health;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Removal;
using BasiqFunctions.Reports;
using BasiqFunctions.Sync;
using BasiqFunctions.Webhooks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BasiqFunctions;

/// <summary>Composes the app, for whichever host runs it.</summary>
public static class BasiqFunctionsRegistration
{
    /// <summary>Each of the app's sections of the configuration, and the class that it is bound to.</summary>
    internal static readonly IReadOnlyDictionary<string, Type> Sections = new Dictionary<string, Type>(StringComparer.OrdinalIgnoreCase)
    {
        [BasiqOptions.Section] = typeof(BasiqOptions),
        [KeyVaultOptions.Section] = typeof(KeyVaultOptions),
        [HttpOptions.Section] = typeof(HttpOptions),
        [ConnectionOptions.Section] = typeof(ConnectionOptions),
        [ConsentOptions.Section] = typeof(ConsentOptions),
        [SyncOptions.Section] = typeof(SyncOptions),
        [SnapshotOptions.Section] = typeof(SnapshotOptions),
        [ChangeOptions.Section] = typeof(ChangeOptions),
        [IdempotencyOptions.Section] = typeof(IdempotencyOptions),
        [WebhookOptions.Section] = typeof(WebhookOptions),
        [NotificationOptions.Section] = typeof(NotificationOptions),
        [ReceiptOptions.Section] = typeof(ReceiptOptions),
        [RemovalOptions.Section] = typeof(RemovalOptions),
        [DueOptions.Section] = typeof(DueOptions),
        [ReportOptions.Section] = typeof(ReportOptions),
    };

    /// <summary>
    /// Adds everything that the functions need. A host that brings its own clock, secret client, snapshot storage or tables registers
    /// them before.
    /// </summary>
    public static IServiceCollection AddBasiqFunctions(this IServiceCollection services, IConfiguration configuration)
    {
        Settings.ReadDurations(configuration, Sections);
        services.TryAddSingleton(TimeProvider.System);
        return services
            .AddHttpAnswers(configuration)
            .AddBasiqClient(configuration)
            .AddTokens(configuration)
            .AddSnapshots(configuration)
            .AddIdempotency(configuration)
            .AddSync(configuration)
            .AddRemoval(configuration)
            .AddBankConnections(configuration)
            .AddConsents(configuration)
            .AddReports(configuration)
            .AddNotifications(configuration)
            .AddWebhooks(configuration)
            .AddDependencies()
            .AddHealth();
    }

    /// <summary>Adds what health asks about.</summary>
    internal static IServiceCollection AddDependencies(this IServiceCollection services) =>
        services
            .AddDependency<ServerTokenHealth>()
            .AddDependency<KeyVaultHealth>()
            .AddDependency<SnapshotHealth>()
            .AddDependency<RecordHealth>()
            .AddDependency<TaskHubHealth>()
            .AddDependency<BasiqHealth>()
            .AddDependency<NotificationHealth>();
}
