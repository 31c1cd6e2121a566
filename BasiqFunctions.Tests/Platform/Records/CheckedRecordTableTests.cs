using System.Text;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace BasiqFunctions.Tests.Platform.Records;

/// <summary>A record is handed out as it was stored, or not at all.</summary>
[Trait("Category", "Unit")]
public sealed class CheckedRecordTableTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddInstruments().BuildServiceProvider();
    private readonly SqliteRecordTables _tables;

    public CheckedRecordTableTests() => _tables = SqliteRecordTables.Open(Path.Combine(_folder.Path, "records.db"));

    private IRecordTable Inner => ((IRecordTables)_tables).Open("TestRecords");

    private CheckedRecordTable Table => new(
        Inner, "test", _services.GetRequiredService<Instruments>(), TimeProvider.System, NullLogger<CheckedRecordTable>.Instance);

    public void Dispose()
    {
        _tables.Dispose();
        _services.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Each_bit_that_changes_is_noticed()
    {
        var content = "{\"userId\":\"u\"}"u8.ToArray();
        await Table.TryAddAsync(new TableRecord("p", "r", content) { ExpiresAt = DateTimeOffset.UnixEpoch }, default);
        Assert.Equal(content, (await Table.FindAsync("p", "r", default))!.Content);
        var stored = (await Inner.FindAsync("p", "r", default))!;
        for (var bit = 0; bit < stored.Content.Length * 8; bit++)
        {
            var damaged = (byte[])stored.Content.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            stored = (await Inner.TryReplaceAsync(stored with { Content = damaged }, default))!;

            AssertDamaged((await Table.FindAsync("p", "r", default))!);
            AssertDamaged(Assert.Single(await Table.ListAsync("p", 10, null, default)));
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public async Task Another_name_or_expiry_than_it_was_stored_with_is_noticed()
    {
        foreach (var sql in (string[])["UPDATE records SET row = 's'", "UPDATE records SET part = 'q'", "UPDATE records SET expires_at = expires_at + 1", "UPDATE records SET expires_at = NULL", "UPDATE records SET content = 7"])
        {
            await Table.TryAddAsync(new TableRecord("p", "r", [1, 2, 3]) { ExpiresAt = DateTimeOffset.UnixEpoch }, default);
            await ChangeAsync(sql);

            foreach (var (partition, row) in ((string, string)[])[("p", "r"), ("p", "s"), ("q", "r")])
            {
                var thrown = await Record.ExceptionAsync(async () =>
                {
                    if (await Table.FindAsync(partition, row, default) is { } found)
                        AssertDamaged(found);
                });
                Assert.True(thrown is null or StoreUnavailableException { Code: "damaged" }, $"{sql}: {thrown}");
            }

            await ChangeAsync("DELETE FROM records");
        }
    }

    [Fact]
    public async Task A_damaged_record_can_be_replaced_and_removed()
    {
        await Table.TryAddAsync(new TableRecord("p", "r", [1, 2, 3]), default);
        await ChangeAsync("UPDATE records SET content = x'01020304'");
        AssertDamaged((await Table.FindAsync("p", "r", default))!);

        await Table.PutAsync(new TableRecord("p", "r", [4]), default);
        Assert.Equal([4], (await Table.FindAsync("p", "r", default))!.Content);

        await ChangeAsync("UPDATE records SET content = x'01020304'");
        Assert.Equal(1, await Table.RemovePartitionAsync("p", default));
        Assert.Null(await Table.FindAsync("p", "r", default));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"userId\":\"u\"}")]
    [InlineData("msg_2abc")]
    public async Task A_record_from_before_there_were_checksums_is_read_and_has_one_from_its_next_change_on(string text)
    {
        await Inner.TryAddAsync(new TableRecord("p", "r", Encoding.UTF8.GetBytes(text)), default);

        var found = (await Table.FindAsync("p", "r", default))!;
        Assert.Equal(text, Encoding.UTF8.GetString(found.Content));

        await Table.TryReplaceAsync(found, default);
        Assert.Equal(text, Encoding.UTF8.GetString((await Table.FindAsync("p", "r", default))!.Content));
        Assert.NotNull((await Inner.FindAsync("p", "r", default))!.Checksum);
    }

    [Fact]
    public async Task A_file_from_before_there_were_checksums_is_read()
    {
        var file = Path.Combine(_folder.Path, "old.db");
        await ChangeAsync(
            """
            CREATE TABLE records (
                name TEXT NOT NULL, part TEXT NOT NULL, row TEXT NOT NULL, content BLOB NOT NULL, expires_at INTEGER, etag TEXT NOT NULL,
                PRIMARY KEY (name, part, row)) WITHOUT ROWID;
            INSERT INTO records VALUES ('TestRecords', 'p', 'r', x'01', NULL, 'e');
            """,
            "old.db");
        using var tables = SqliteRecordTables.Open(file);

        Assert.Equal([1], (await ((IRecordTables)tables).Open("TestRecords").FindAsync("p", "r", default))!.Content);
    }

    private static void AssertDamaged(TableRecord record) =>
        Assert.Equal(("records", "damaged"), Assert.Throws<StoreUnavailableException>(() => record.Content) is { } thrown ? (thrown.Store, thrown.Code) : default);

    private async Task ChangeAsync(string sql, string file = "records.db")
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(_folder.Path, file)};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is one of the constants of this class.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
