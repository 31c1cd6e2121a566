using BasiqFunctions.Platform.Health;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Notifications;

/// <summary>Whether the receivers of notifications take them.</summary>
internal sealed class NotificationHealth(NotificationSubscriptions subscriptions, TimeProvider clock) : IDependency
{
    public string Name => "notifications";

    public async Task<(HealthStatus Status, string? Detail)> AskAsync(DurableTaskClient durable, CancellationToken cancellation)
    {
        string[] failing =
        [
            .. (await subscriptions.ListAsync(cancellation))
                .Where(subscription => clock.GetUtcNow() - subscription.FailingSince >= NotificationSubscriptions.Failing)
                .Select(subscription => subscription.Name),
        ];
        return failing.Length == 0
            ? (HealthStatus.Healthy, null)
            : (HealthStatus.Degraded, $"failing: {string.Join(", ", failing)}");
    }
}
