using BasiqFunctions.Connections.Outages;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Moq;

namespace BasiqFunctions.Tests.Connections;

[Trait("Category", "Unit")]
public sealed class OutageNotesTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_bank_whose_watch_could_not_be_started_is_watched_from_the_next_call_on()
    {
        using var tables = SqliteRecordTables.Open(Path.Combine(_folder.Path, "records.db"));
        var notes = new OutageNotes(((IRecordTables)tables).Open("Connections"));
        var starts = 0;
        var client = new Mock<DurableTaskClient>("test");
        client.Setup(c => c.ScheduleNewOrchestrationInstanceAsync(It.IsAny<TaskName>(), It.IsAny<object?>(), It.IsAny<StartOrchestrationOptions?>(), It.IsAny<CancellationToken>()))
            .Returns(() => ++starts == 1 ? throw new IOException("storage is away") : Task.FromResult("started"));

        await Assert.ThrowsAsync<IOException>(AddAsync);
        await AddAsync();

        Assert.Equal(2, starts);

        Task AddAsync() => notes.AddAsync(client.Object, new BankWay("AU00000", "open-banking"), new("u1"), new("c1"), default);
    }
}
