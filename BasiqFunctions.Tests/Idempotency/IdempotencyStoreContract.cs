using BasiqFunctions.Idempotency;

namespace BasiqFunctions.Tests.Idempotency;

/// <summary>What every store of idempotency records must do.</summary>
public abstract class IdempotencyStoreContract
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    internal abstract IIdempotencyStore Open();

    [SkippableFact]
    public async Task A_record_is_found_as_it_was_added_and_as_it_was_replaced()
    {
        var store = Open();
        var record = Record("a") with { Answer = [0, 1, 255], UserId = "user-1" };
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

    [SkippableFact]
    public async Task An_answer_of_the_greatest_size_is_kept()
    {
        var store = Open();
        var answer = new byte[IdempotencyRecord.MaxAnswerBytes];
        Random.Shared.NextBytes(answer);

        await store.TryAddAsync(Record("a") with { Answer = answer }, default);

        Assert.Equal(answer, (await store.FindAsync("a", default))!.Answer);
    }

    [SkippableFact]
    public async Task What_is_there_is_not_added_again_and_an_old_version_is_neither_replaced_nor_removed()
    {
        var store = Open();
        var first = await store.TryAddAsync(Record("a"), default);
        Assert.Null(await store.TryAddAsync(Record("a") with { Claim = "another" }, default));
        var second = await store.TryReplaceAsync(first! with { Claim = "second" }, default);

        Assert.Null(await store.TryReplaceAsync(first with { Claim = "third" }, default));
        Assert.False(await store.TryRemoveAsync(first, default));

        Assert.Equal("second", (await store.FindAsync("a", default))!.Claim);
        Assert.True(await store.TryRemoveAsync(second!, default));
        Assert.Null(await store.FindAsync("a", default));
        Assert.False(await store.TryRemoveAsync(second!, default));
        Assert.Null(await store.TryReplaceAsync(second!, default));
    }

    [SkippableFact]
    public async Task Of_many_who_claim_at_once_one_succeeds()
    {
        var store = Open();
        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => store.TryAddAsync(Record("a") with { Claim = $"c{i}" }, default))));
        var first = Assert.Single(claims, claim => claim is not null)!;
        Assert.Equal(first.Claim, (await store.FindAsync("a", default))!.Claim);

        var changes = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => store.TryReplaceAsync(first with { Claim = $"d{i}" }, default))));

        Assert.Equal(Assert.Single(changes, change => change is not null)!.Claim, (await store.FindAsync("a", default))!.Claim);
    }

    [SkippableFact]
    public async Task A_users_records_go_with_the_user_and_nobody_elses()
    {
        var store = Open();
        await store.TryAddAsync(Record("theirs-from-the-start") with { UserId = "user-1" }, default);
        var later = await store.TryAddAsync(Record("theirs-in-the-end"), default);
        await store.TryReplaceAsync(later! with { UserId = "user-1" }, default);
        var changed = await store.TryAddAsync(Record("once-theirs") with { UserId = "user-1" }, default);
        await store.TryReplaceAsync(changed! with { UserId = "user-2" }, default);
        await store.TryAddAsync(Record("nobodys"), default);
        await store.TryAddAsync(Record("anothers") with { UserId = "user-12" }, default);

        await store.RemoveOfUserAsync("user-1", default);
        await store.RemoveOfUserAsync("nobody", default);

        Assert.Null(await store.FindAsync("theirs-from-the-start", default));
        Assert.Null(await store.FindAsync("theirs-in-the-end", default));
        Assert.NotNull(await store.FindAsync("once-theirs", default));
        Assert.NotNull(await store.FindAsync("nobodys", default));
        Assert.NotNull(await store.FindAsync("anothers", default));
    }

    [SkippableFact]
    public async Task What_has_expired_is_removed_and_counted()
    {
        var store = Open();
        Assert.Equal(0, await store.RemoveExpiredAsync(Now, default));
        await store.TryAddAsync(Record("gone") with { ExpiresAt = Now, UserId = "user-1" }, default);
        await store.TryAddAsync(Record("gone-too") with { ExpiresAt = Now.AddDays(-1) }, default);
        await store.TryAddAsync(Record("stays") with { ExpiresAt = Now.AddMilliseconds(1) }, default);

        Assert.Equal(2, await store.RemoveExpiredAsync(Now, default));

        Assert.Null(await store.FindAsync("gone", default));
        Assert.Null(await store.FindAsync("gone-too", default));
        Assert.NotNull(await store.FindAsync("stays", default));
        Assert.Equal(0, await store.RemoveExpiredAsync(Now, default));
    }

    private static IdempotencyRecord Record(string id) =>
        new(id, "f1", "c1", IdempotencyState.Running, Now.AddMinutes(3), Now.AddDays(1));

    private static void AssertSame(IdempotencyRecord? expected, IdempotencyRecord? actual)
    {
        Assert.Equal(expected?.Answer, actual?.Answer);
        Assert.Equal(expected! with { Answer = null }, actual! with { Answer = null });
    }
}
