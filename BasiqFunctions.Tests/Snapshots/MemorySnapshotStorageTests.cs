using BasiqFunctions.Snapshots;

namespace BasiqFunctions.Tests.Snapshots;

[Trait("Category", "Unit")]
public sealed class MemorySnapshotStorageTests : SnapshotStorageContract
{
    private readonly MemorySnapshotStorage _storage = new(TimeProvider.System);

    internal override ISnapshotStorage Open() => _storage;
}
