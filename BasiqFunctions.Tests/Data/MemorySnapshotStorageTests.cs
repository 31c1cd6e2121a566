using BasiqFunctions.Data;

namespace BasiqFunctions.Tests.Data;

[Trait("Category", "Unit")]
public sealed class MemorySnapshotStorageTests : SnapshotStorageContract
{
    private readonly MemorySnapshotStorage _storage = new(TimeProvider.System);

    internal override ISnapshotStorage Open() => _storage;
}
