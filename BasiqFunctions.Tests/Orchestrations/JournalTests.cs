using BasiqFunctions.LocalHost;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;
using DurableTask.Core.History;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Tests.Orchestrations;

/// <summary>The journal as a file that something else has changed.</summary>
[Trait("Category", "Unit")]
public sealed class JournalTests : IDisposable
{
    private readonly TemporaryDirectory _state = new();

    private string Path => System.IO.Path.Combine(_state.Path, "journal.db");

    public void Dispose() => _state.Dispose();

    [Theory]
    [InlineData("UPDATE instances SET output = '2' WHERE instance_id = 'b'")]
    [InlineData("UPDATE instances SET status = 1 WHERE instance_id = 'a'")]
    [InlineData("UPDATE instances SET instance_id = 'c' WHERE instance_id = 'b'")]
    [InlineData("UPDATE instances SET input = '' WHERE instance_id = 'b'")]
    [InlineData("UPDATE instances SET output = input, input = output WHERE instance_id = 'b'")]
    [InlineData("DELETE FROM instances WHERE instance_id = 'b'")]
    [InlineData("UPDATE turns SET events = replace(events, 'one', 'two') WHERE instance_id = 'a'")]
    [InlineData("UPDATE turns SET events = CAST(events AS BLOB) || 'x' WHERE instance_id = 'a' AND turn = 0")]
    [InlineData("UPDATE turns SET turn = 2 WHERE instance_id = 'a' AND turn = 1")]
    [InlineData("DELETE FROM turns WHERE instance_id = 'a' AND turn = 1")]
    [InlineData("DELETE FROM turns WHERE instance_id = 'b'")]
    [InlineData("UPDATE activity_runs SET started_at = started_at + 1")]
    [InlineData("UPDATE activity_runs SET crc = 'none'")]
    [InlineData("ALTER TABLE timers RENAME TO timers2")]
    [InlineData("ALTER TABLE turns RENAME crc TO crd; PRAGMA user_version = 1")]
    [InlineData("PRAGMA user_version = 0")]
    public async Task A_row_that_is_not_as_it_was_written_keeps_the_journal_from_being_opened(string sql)
    {
        await (await WriteAsync()).DisposeAsync();
        await Journal.Open(Path).DisposeAsync();
        JournalFile.Change(_state, sql);

        var refused = Assert.Throws<StoreUnavailableException>(() => Journal.Open(Path));

        Assert.Equal(("journal", "damaged"), (refused.Store, refused.Code));
    }

    [Fact]
    public async Task A_row_that_changes_while_the_journal_is_open_is_not_given_out()
    {
        await using var journal = await WriteAsync();
        JournalFile.Change(_state, """
            UPDATE instances SET output = '2' WHERE instance_id = 'b';
            DELETE FROM turns WHERE instance_id = 'a' AND turn = 1
            """);

        await AssertDamagedAsync(async () => await journal.FindAsync("b", default));
        await AssertDamagedAsync(async () => await journal.ListAsync(null, null, null, null, null, 10, default));
        await AssertDamagedAsync(async () => await journal.ListNewestAsync("Run", 10, default));
        await AssertDamagedAsync(async () => await journal.ReadHistoryAsync("a", default).ToListAsync());
        Assert.Equal("\"one\"", (await journal.FindAsync("a", default))!.Input);
        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await journal.ListAsync("a", null, null, null, null, 1, default))[0].Status + 1);
    }

    [Theory]
    [InlineData("CREATE TABLE events (instance_id TEXT, sequence INTEGER)")]
    [InlineData("""
        CREATE TABLE instances (instance_id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE turns (instance_id TEXT NOT NULL, turn INTEGER NOT NULL, events TEXT NOT NULL, PRIMARY KEY (instance_id, turn)) WITHOUT ROWID
        """)]
    public void A_journal_of_an_earlier_format_is_refused_with_what_to_do(string earlier)
    {
        JournalFile.Change(_state, earlier);
        var before = JournalFile.Count(_state, "SELECT COUNT(*) FROM sqlite_master");

        var refused = Assert.Throws<LocalHostException>(() => Journal.Open(Path));

        Assert.Contains("journal.db", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Delete it", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, JournalFile.Count(_state, "SELECT COUNT(*) FROM sqlite_master"));
    }

    private static async Task AssertDamagedAsync(Func<Task> read) =>
        Assert.Equal("damaged", (await Assert.ThrowsAsync<StoreUnavailableException>(read)).Code);

    /// <summary>One orchestration that is under way and one that has ended, the run of an activity and a timer.</summary>
    private async Task<Journal> WriteAsync()
    {
        var at = new DateTime(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        var journal = Journal.Open(Path);
        var running = new InstanceRecord("a", "Run", OrchestrationRuntimeStatus.Running, at, at, "\"one\"");
        await journal.WriteTurnAsync(running, 0, [new OrchestratorStartedEvent(-1) { Timestamp = at }, new EventRaisedEvent(-1, "\"one\"") { Name = "E" }]);
        await journal.WriteTurnAsync(running, 1, [new OrchestratorStartedEvent(-1) { Timestamp = at }]);
        var ended = new InstanceRecord("b", "Run", OrchestrationRuntimeStatus.Completed, at, at, null, Output: "1");
        await journal.WriteTurnAsync(ended, 0, [new OrchestratorStartedEvent(-1) { Timestamp = at }]);
        await journal.NoteActivityRunAsync("a", 0, at);
        await journal.SaveTimerAsync("Timer", at, at.AddDays(1));
        return journal;
    }
}
