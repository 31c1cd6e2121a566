using BasiqFunctions.LocalHost.Storage;
using BasiqFunctions.Storage;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Storage;

[Trait("Category", "Unit")]
public sealed class ExpiredRecordsTests
{
    [Fact]
    public async Task The_timer_cleans_every_table_even_when_one_fails()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        using var folder = new TemporaryDirectory();
        using var file = SqliteRecordTables.Open(Path.Combine(folder.Path, "records.db"));
        var configuration = new ConfigurationBuilder().Build();
        var services = new ServiceCollection().AddLogging();
        services.AddSingleton<TimeProvider>(clock).AddSingleton<IRecordTables>(new SomeFail(file)).AddOptions<Names>();
        foreach (var key in new[] { "First", "Broken", "Last" })
            services.AddRecordTable<Names>(configuration, key, _ => key);
        await using var provider = services.BuildServiceProvider();
        foreach (var key in new[] { "First", "Last" })
        {
            await provider.GetRequiredKeyedService<IRecordTable>(key).TryAddAsync(
                new TableRecord("p", "r", []) { ExpiresAt = clock.GetUtcNow() }, default);
        }

        var check = provider.GetRequiredService<ClockCheck>();
        var timer = new RemoveExpiredRecords(provider.GetRequiredService<ExpiredRecords>(), check);

        // The clock has jumped, and is not the one that Basiq's answers are dated by.
        check.Note(clock.GetUtcNow() - TimeSpan.FromDays(370));
        await timer.Run(null!, default);
        foreach (var key in new[] { "First", "Last" })
            Assert.NotNull(await provider.GetRequiredKeyedService<IRecordTable>(key).FindAsync("p", "r", default));

        check.Note(clock.GetUtcNow());
        var thrown = await Assert.ThrowsAsync<AggregateException>(() => timer.Run(null!, default));

        Assert.IsType<IOException>(Assert.Single(thrown.InnerExceptions));
        foreach (var key in new[] { "First", "Last" })
            Assert.Null(await provider.GetRequiredKeyedService<IRecordTable>(key).FindAsync("p", "r", default));
    }

    private sealed class Names;

    private sealed class SomeFail(IRecordTables inner) : IRecordTables
    {
        public IRecordTable Open(string name) => name is "Broken" ? new Broken() : inner.Open(name);
    }

    private sealed class Broken : IRecordTable
    {
        public Task<TableRecord?> FindAsync(string partition, string row, CancellationToken cancellation) => throw new IOException();

        public Task<TableRecord?> TryAddAsync(TableRecord record, CancellationToken cancellation) => throw new IOException();

        public Task<TableRecord?> TryReplaceAsync(TableRecord record, CancellationToken cancellation) => throw new IOException();

        public Task<bool> TryRemoveAsync(TableRecord record, CancellationToken cancellation) => throw new IOException();

        public Task<IReadOnlyList<TableRecord>> ListAsync(string partition, int limit, string? after, CancellationToken cancellation) =>
            throw new IOException();

        public Task<int> RemoveExpiredAsync(DateTimeOffset now, CancellationToken cancellation) => throw new IOException();
    }
}
