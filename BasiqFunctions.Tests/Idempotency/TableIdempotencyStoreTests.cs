using Azure.Data.Tables;
using BasiqFunctions.Idempotency;
using BasiqFunctions.Tests.Snapshots;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Idempotency;

public sealed class TableIdempotencyStoreTests(AzuriteFixture azurite) : IdempotencyStoreContract, IClassFixture<AzuriteFixture>
{
    internal override IIdempotencyStore Open() => new TableIdempotencyStore(Table());

    [SkippableFact]
    public async Task Nothing_is_left_in_the_table_of_a_user_who_is_gone_or_of_what_has_expired()
    {
        var table = Table();
        var store = new TableIdempotencyStore(table);
        var now = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        foreach (var (id, userId) in new[] { ("a", "user-1"), ("b", "user-1"), ("c", "user-2") })
        {
            await store.TryAddAsync(
                new IdempotencyRecord(id, "f", "c", IdempotencyState.Running, now, now.AddDays(1)) { UserId = userId }, default);
        }

        Assert.Equal(6, await CountAsync(table));
        await store.RemoveOfUserAsync("user-1", default);
        Assert.Equal(2, await CountAsync(table));
        Assert.Equal(1, await store.RemoveExpiredAsync(now.AddDays(1), default));
        Assert.Equal(0, await CountAsync(table));
    }

    [SkippableFact]
    public async Task The_registered_store_uses_the_table_of_the_settings()
    {
        var table = Table();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AzureWebJobsStorage"] = azurite.ConnectionString,
            ["Idempotency:Table"] = table.Name,
        }).Build();
        await using var services = new ServiceCollection().AddLogging().AddIdempotency(configuration).BuildServiceProvider();

        await services.GetRequiredService<IIdempotencyStore>().TryAddAsync(
            new IdempotencyRecord("a", "f", "c", IdempotencyState.Running, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch), default);

        Assert.Equal(1, await CountAsync(table));
    }

    private static async Task<int> CountAsync(TableClient table)
    {
        var count = 0;
        await foreach (var _ in table.QueryAsync<TableEntity>())
            count++;
        return count;
    }

    private TableClient Table()
    {
        Skip.If(azurite.Missing is not null, azurite.Missing);
        return azurite.NewTable();
    }
}
