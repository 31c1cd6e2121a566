using Azure.Data.Tables;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Platform.Records;

[Trait("Category", "Journeys")]
public sealed class AzureRecordTableTests(AzuriteFixture azurite) : RecordTableContract, IClassFixture<AzuriteFixture>
{
    private readonly string _test = $"t{Guid.NewGuid():N}"[..20];

    internal override IRecordTable Open(string name = "TestRecords")
    {
        Skip.If(azurite.Missing is not null, azurite.Missing);
        return new AzureRecordTables(new TableServiceClient(azurite.ConnectionString)).Open(_test + name);
    }

    [SkippableFact]
    public async Task Nothing_is_left_in_the_table_of_a_user_who_is_gone()
    {
        Skip.If(azurite.Missing is not null, azurite.Missing);
        var table = azurite.NewTable();
        var records = new IdempotencyRecords(new AzureRecordTable(table));
        var now = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        foreach (var (id, userId) in new[] { ("a", "user-1"), ("b", "user-1"), ("c", "user-2") })
        {
            await records.TryAddAsync(
                new IdempotencyRecord(id, "f", "c", IdempotencyState.Running, now, now.AddDays(1)) { UserId = new(userId) }, default);
        }

        Assert.Equal(6, await CountAsync(table));
        await records.RemoveOfUserAsync(new("user-1"), default);
        Assert.Equal(2, await CountAsync(table));
    }

    [SkippableFact]
    public async Task The_registered_table_is_that_of_the_settings()
    {
        Skip.If(azurite.Missing is not null, azurite.Missing);
        var table = azurite.NewTable();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AzureWebJobsStorage"] = azurite.ConnectionString,
            ["Idempotency:Table"] = table.Name,
        }).Build();
        await using var services = new ServiceCollection().AddLogging().AddIdempotency(configuration).BuildServiceProvider();

        await services.GetRequiredService<IdempotencyRecords>().TryAddAsync(
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
}
