using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Platform.Idempotency;

[Trait("Category", "Unit")]
public sealed class IdempotencyRecordsTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TemporaryDirectory _folder = new();
    private readonly SqliteRecordTables _tables;
    private readonly IRecordTable _table;

    public IdempotencyRecordsTests()
    {
        _tables = SqliteRecordTables.Open(Path.Combine(_folder.Path, "records.db"));
        _table = ((IRecordTables)_tables).Open("BasiqIdempotency");
    }

    public void Dispose()
    {
        _tables.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_record_is_found_as_it_was_added_and_as_it_was_replaced()
    {
        var store = Open();
        var record = Record("a") with { Answer = [0, 1, 255], UserId = new("user-1") };
        Assert.Null(await store.FindAsync("a", default));

        var added = await store.TryAddAsync(record, default);

        Assert.NotNull(added?.ETag);
        AssertSame(added, await store.FindAsync("a", default));

        var changed = added with
        {
            State = IdempotencyState.OutcomeUnknown,
            Answer = null,
            UserId = null,
            Fingerprint = "f2",
            Claim = "c2",
            LeaseUntil = Now.AddTicks(1),
            ExpiresAt = Now.AddDays(2),
        };
        var replaced = await store.TryReplaceAsync(changed, default);

        Assert.NotEqual(added.ETag, replaced?.ETag);
        AssertSame(replaced, await store.FindAsync("a", default));
    }

    [Fact]
    public async Task An_answer_of_the_greatest_size_is_kept()
    {
        var store = Open();
        var answer = new byte[IdempotencyRecord.MaxAnswerBytes];
        Random.Shared.NextBytes(answer);

        await store.TryAddAsync(Record("a") with { Answer = answer }, default);

        Assert.Equal(answer, (await store.FindAsync("a", default))!.Answer);
    }

    [Fact]
    public async Task A_users_records_go_with_the_user_and_nobody_elses()
    {
        var store = Open();
        await store.TryAddAsync(Record("theirs-from-the-start") with { UserId = new("user-1") }, default);
        var later = await store.TryAddAsync(Record("theirs-in-the-end"), default);
        await store.TryReplaceAsync(later! with { UserId = new("user-1") }, default);
        var changed = await store.TryAddAsync(Record("once-theirs") with { UserId = new("user-1") }, default);
        await store.TryReplaceAsync(changed! with { UserId = new("user-2") }, default);
        await store.TryAddAsync(Record("nobodys"), default);
        await store.TryAddAsync(Record("anothers") with { UserId = new("user-12") }, default);

        await store.RemoveOfUserAsync(new("user-1"), default);
        await store.RemoveOfUserAsync(new("nobody"), default);

        Assert.Null(await store.FindAsync("theirs-from-the-start", default));
        Assert.Null(await store.FindAsync("theirs-in-the-end", default));
        Assert.NotNull(await store.FindAsync("once-theirs", default));
        Assert.NotNull(await store.FindAsync("nobodys", default));
        Assert.NotNull(await store.FindAsync("anothers", default));
    }

    [Fact]
    public async Task A_record_and_its_name_expire_together()
    {
        await Open().TryAddAsync(Record("r") with { ExpiresAt = Now, UserId = new("user-1") }, default);
        Assert.Equal(Now, (await _table.FindAsync("r", IdempotencyRecords.Row, default))!.ExpiresAt);
        Assert.Equal(Now, (await _table.FindAsync("user-user-1", "r", default))!.ExpiresAt);
    }

    private IdempotencyRecords Open() => new(_table);

    private static IdempotencyRecord Record(string id) =>
        new(id, "f1", "c1", IdempotencyState.Running, Now.AddMinutes(3), Now.AddDays(1));

    private static void AssertSame(IdempotencyRecord? expected, IdempotencyRecord? actual)
    {
        Assert.Equal(expected?.Answer, actual?.Answer);
        Assert.Equal(expected! with { Answer = null }, actual! with { Answer = null });
    }
}
