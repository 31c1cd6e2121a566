using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Platform.Records;

[Trait("Category", "Unit")]
public sealed class SqliteRecordTableTests : RecordTableContract, IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly List<SqliteRecordTables> _opened = [];

    private string File => Path.Combine(_folder.Path, "inner", "records.db");

    public void Dispose()
    {
        foreach (var tables in _opened)
            tables.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Records_outlive_the_process_and_only_their_owner_can_read_them()
    {
        var added = await Open().TryAddAsync(new TableRecord("p", "a", [1]) { ExpiresAt = DateTimeOffset.UnixEpoch }, default);

        // Opened anew while the first is still open: nothing waits in memory.
        var found = await Open().FindAsync("p", "a", default);
        Assert.Equal(added!.Content, found!.Content);
        Assert.Equal(added, found with { Content = added.Content });
        if (OperatingSystem.IsWindows())
            return;
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            System.IO.File.GetUnixFileMode(Path.GetDirectoryName(File)!));
        foreach (var file in _folder.Files)
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(file));
    }

    internal override IRecordTable Open(string name = "TestRecords")
    {
        var tables = SqliteRecordTables.Open(File);
        _opened.Add(tables);
        return ((IRecordTables)tables).Open(name);
    }
}
