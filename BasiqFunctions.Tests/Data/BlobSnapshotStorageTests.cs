using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using BasiqFunctions.Data;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Data;

[Trait("Category", "Journeys")]
public sealed class BlobSnapshotStorageTests(AzuriteFixture azurite) : SnapshotStorageContract, IClassFixture<AzuriteFixture>
{
    internal override ISnapshotStorage Open() => new BlobSnapshotStorage(Container());

    [SkippableFact]
    public async Task Blocks_that_were_never_committed_go_with_their_prefix()
    {
        var container = Container();
        var storage = new BlobSnapshotStorage(container);
        await WriteAsync(storage, "u/a", [1]);
        await using (var writer = await storage.OpenWriteAsync("u/b", default))
            await writer.WriteAsync(new byte[5_000_000], default);
        Assert.Equal(2, await CountAsync(container));

        await storage.DeleteByPrefixAsync("u/", default);

        Assert.Equal(0, await CountAsync(container));
        await Assert.ThrowsAsync<Azure.RequestFailedException>(() => container.GetBlockBlobClient("u/b").GetBlockListAsync());
    }

    [SkippableFact]
    public async Task A_sync_is_published_read_and_removed_through_the_registered_services()
    {
        var container = Container();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AzureWebJobsStorage"] = azurite.ConnectionString,
            ["Snapshots:Container"] = container.Name,
        }).Build();
        await using var services = new ServiceCollection().AddLogging().AddSnapshots(configuration).BuildServiceProvider(validateScopes: true);
        var store = new SnapshotParts(services);
        var all = Enumerable.Range(0, 12_000).Select(i => SnapshotScene.Posted(i, new DateOnly(2024, 1, 1).AddDays(i / 100))).ToArray();

        for (var run = 1; run <= 2; run++)
        {
            var syncId = $"s{run}";
            await store.Staging.StageAccountsAsync(new("u"), new(syncId), [SnapshotScene.Account("acc", "c1")], default);
            List<string> segments = [];
            foreach (var segment in all.Chunk(10_000))
            {
                await using var writer = await store.Staging.BeginSegmentAsync(new("u"), new(syncId), new("acc"), segments.Count, default);
                foreach (var page in segment.Chunk(500))
                {
                    foreach (var transaction in page)
                        writer.Append(SnapshotScene.Utf8(transaction).Span);
                    await writer.CompletePageAsync(default);
                }
                segments.Add((await writer.CompleteAsync(default)).Attempt);
            }
            var publication = new SnapshotPublication(new("u"), new(syncId), DateTimeOffset.UtcNow, [new("c1")], new Dictionary<AccountId, IReadOnlyList<string>> { [new("acc")] = segments });
            var result = await store.Publisher.PublishAsync(publication, default);
            Assert.Equal(new PublishResult(PublishOutcome.Published, 1, all.Length) { HasNews = run == 1, DataAsOf = result.DataAsOf }, result);
        }
        Assert.Equal(
            ["u/current.json", "u/syncs/s2/acc/000000.pages", "u/syncs/s2/acc/000001.pages"],
            container.GetBlobs().Select(b => SnapshotScene.WithoutAttempt(b.Name)).Order(StringComparer.Ordinal));

        var day = new DateOnly(2024, 1, 1).AddDays(110);
        var page1 = Assert.IsType<TransactionsResult.Page>(await store.Reader.ReadTransactionsAsync(new("u"), new("acc"), new TransactionQuery(day, day, Limit: 60), default));
        var page2 = Assert.IsType<TransactionsResult.Page>(
            await store.Reader.ReadTransactionsAsync(new("u"), new("acc"), new TransactionQuery(day, day, Limit: 60, Cursor: page1.NextCursor), default));
        Assert.Equal(all[11_000..11_100], page1.Transactions.Concat(page2.Transactions).Select(SnapshotScene.Text));
        Assert.Null(page2.NextCursor);

        await store.Removal.RemoveUserAsync(new("u"), default);
        Assert.Equal(0, await CountAsync(container));
    }

    private static async Task<int> CountAsync(BlobContainerClient container)
    {
        var count = 0;
        await foreach (var _ in container.GetBlobsAsync(new GetBlobsOptions { States = BlobStates.Uncommitted }))
            count++;
        return count;
    }

    private BlobContainerClient Container()
    {
        Skip.If(azurite.Missing is not null, azurite.Missing);
        return azurite.NewContainer();
    }
}
