using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Notifications;
using BasiqFunctions.Platform.Notices;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Moq;

namespace BasiqFunctions.Tests.Notifications;

[Trait("Category", "Unit")]
public sealed class DeliveryQueuesTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly DurableTaskClient _client = new Mock<DurableTaskClient>("test").Object;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_list_of_few_among_very_many_ends_early_with_a_cursor_to_go_on_with()
    {
        var now = DateTimeOffset.UtcNow;
        var asked = 0;
        var table = new Mock<IRecordTable>(MockBehavior.Strict);
        table.Setup(t => t.ListAsync("log.default", It.IsAny<int>(), It.IsAny<string?>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((string partition, int limit, string? after, CancellationToken _) =>
            {
                asked++;
                var first = after is null ? 0 : int.Parse(after, null) + 1;
                return [.. Enumerable.Range(first, limit).Select(i => new TableRecord(partition, $"{i:D9}", Content(i)))];
            });
        var queues = new DeliveryQueues(table.Object, Options.Create(new NotificationOptions()), new FakeTimeProvider(now));

        var page = await queues.ListAsync("default", DeliveryStatus.Failed, null, 100, default);
        Assert.Equal("m7", Assert.Single(page.Deliveries).MessageId);
        Assert.InRange(asked, 1, 20);
        var next = await queues.ListAsync("default", DeliveryStatus.Failed, page.NextCursor, 100, default);
        Assert.Equal("m25000", Assert.Single(next.Deliveries).MessageId);

        byte[] Content(int i) => new KeptDelivery(
            new Delivery($"m{i}", NoticeTypes.SyncEnded, new("u1"), i is 7 or 25_000 ? DeliveryStatus.Failed : DeliveryStatus.Delivered, now), now, new NoticeData(new("u1"))).ToContent();
    }

    [Fact]
    public async Task A_retry_gives_a_message_that_waits_without_a_place_one_and_no_second_one()
    {
        using var tables = SqliteRecordTables.Open(Path.Combine(_folder.Path, "records.db"));
        var table = ((IRecordTables)tables).Open("Deliveries");
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var queues = new DeliveryQueues(table, Options.Create(new NotificationOptions()), clock);
        await queues.AddAsync(_client, "default", new Notice("msg_1", NoticeTypes.SyncEnded, clock.GetUtcNow(), new NoticeData(new("u1"))), default);

        // Who had set it to wait died before it was queued.
        foreach (var record in await PlacesAsync())
            await table.RemoveAsync(record.Partition, record.Row, default);
        for (var times = 1; times <= 2; times++)
        {
            Assert.True(await queues.RetryAsync(_client, "default", "msg_1", default));
            Assert.Equal("msg_1", Assert.Single(await PlacesAsync(), record => record.Row != "head").Read<QueuedMessage>().MessageId);
        }

        Task<IReadOnlyList<TableRecord>> PlacesAsync() => table.ListAsync("queue.default.u1", 100, null, default);
    }
}
