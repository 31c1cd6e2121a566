using BasiqFunctions.Platform.Health;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Data;

/// <summary>Whether the storage of snapshots can be read and written.</summary>
internal sealed class SnapshotHealth(ISnapshotStorage storage) : IDependency
{
    public string Name => "snapshots";

    public async Task<(HealthStatus Status, string? Detail)> AskAsync(DurableTaskClient durable, CancellationToken cancellation)
    {
        // Requests write as well, and what can be read may still take no writes: a full disk, a role that only reads.
        var held = await storage.ReadAsync(HealthChecks.Probe, cancellation);
        if (await storage.TryPutAsync(HealthChecks.Probe, ReadOnlyMemory<byte>.Empty, held?.ETag, cancellation) is { } etag)
            await storage.TryDeleteAsync(HealthChecks.Probe, etag, cancellation);
        return (HealthStatus.Healthy, null);
    }
}
