using BasiqFunctions.Data;
using BasiqFunctions.Data.Changes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Data;

/// <summary>What stores, publishes, reads and removes snapshots.</summary>
internal sealed class SnapshotParts(IServiceProvider services)
{
    public SnapshotManifests Manifests { get; } = services.GetRequiredService<SnapshotManifests>();

    public DamagedAccounts Damage { get; } = services.GetRequiredService<DamagedAccounts>();

    public SnapshotStaging Staging { get; } = services.GetRequiredService<SnapshotStaging>();

    public SnapshotPublisher Publisher { get; } = services.GetRequiredService<SnapshotPublisher>();

    public SnapshotReader Reader { get; } = services.GetRequiredService<SnapshotReader>();

    public SnapshotRemoval Removal { get; } = services.GetRequiredService<SnapshotRemoval>();

    public static SnapshotParts Over(ISnapshotStorage storage, TimeProvider clock, SnapshotOptions? options = null, ChangeOptions? changes = null) => new(
        new ServiceCollection()
            .AddLogging()
            .AddSingleton(storage)
            .AddSingleton(clock)
            .AddSingleton(Options.Create(options ?? new SnapshotOptions()))
            .AddSingleton(Options.Create(changes ?? new ChangeOptions()))
            .AddSingleton<SnapshotManifests>()
            .AddSingleton<DamagedAccounts>()
            .AddSingleton<SnapshotStaging>()
            .AddSingleton<SnapshotPublisher>()
            .AddSingleton<SnapshotReader>()
            .AddSingleton<SnapshotRemoval>()
            .BuildServiceProvider());
}
