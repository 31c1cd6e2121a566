using BasiqFunctions.Idempotency;
using BasiqFunctions.LocalHost.Idempotency;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Idempotency;

public sealed class SqliteIdempotencyStoreTests : IdempotencyStoreContract, IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly List<SqliteIdempotencyStore> _opened = [];

    private string File => Path.Combine(_folder.Path, "inner", "idempotency.db");

    public void Dispose()
    {
        foreach (var store in _opened)
            store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Records_outlive_the_process_and_only_their_owner_can_read_them()
    {
        var record = new IdempotencyRecord("a", "f", "c", IdempotencyState.Running, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1));
        var added = await Open().TryAddAsync(record, default);

        // Opened anew while the first is still open: nothing waits in memory.
        Assert.Equal(added, await Open().FindAsync("a", default));
        if (OperatingSystem.IsWindows())
            return;
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            System.IO.File.GetUnixFileMode(Path.GetDirectoryName(File)!));
        foreach (var file in _folder.Files)
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(file));
    }

    internal override IIdempotencyStore Open()
    {
        var store = SqliteIdempotencyStore.Open(File);
        _opened.Add(store);
        return store;
    }
}
