using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Tests.Platform.Records;

/// <summary>What every table of records must do.</summary>
public abstract class RecordTableContract
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Opens a table, the same each time in one test.</summary>
    internal abstract IRecordTable Open(string name = "TestRecords");

    [SkippableFact]
    public async Task A_record_is_found_as_it_was_added_and_as_it_was_replaced()
    {
        var table = Open();
        Assert.Null(await table.FindAsync("p", "a", default));

        var added = await table.TryAddAsync(Record("a", [0, 1, 255]) with { ExpiresAt = Now.AddTicks(1) }, default);

        Assert.NotNull(added?.ETag);
        AssertSame(added, await table.FindAsync("p", "a", default));

        var replaced = await table.TryReplaceAsync(added with { Content = [2], ExpiresAt = null }, default);

        Assert.NotEqual(added.ETag, replaced?.ETag);
        AssertSame(replaced, await table.FindAsync("p", "a", default));
        Assert.Null(await table.FindAsync("P", "a", default));
        Assert.Null(await table.FindAsync("p", "A", default));
    }

    [SkippableTheory]
    [InlineData(0)]
    [InlineData(64 * 1024)]
    [InlineData((64 * 1024) + 1)]
    [InlineData(TableRecord.MaxContentBytes)]
    public async Task Content_of_any_size_that_is_allowed_is_kept(int size)
    {
        var table = Open();
        var content = new byte[size];
        Random.Shared.NextBytes(content);

        await table.TryAddAsync(Record("a", content), default);

        Assert.Equal(content, (await table.FindAsync("p", "a", default))!.Content);
        Assert.Equal(content, Assert.Single(await table.ListAsync("p", 10, null, default)).Content);
    }

    [SkippableFact]
    public async Task More_than_the_greatest_size_is_refused()
    {
        var table = Open();
        await Assert.ThrowsAsync<ArgumentException>(() => table.TryAddAsync(Record("a", new byte[TableRecord.MaxContentBytes + 1]), default));
        Assert.Null(await table.FindAsync("p", "a", default));
    }

    [SkippableTheory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("a'b")]
    [InlineData("a%b")]
    public async Task A_name_that_some_table_would_not_take_is_refused_by_all(string name)
    {
        var table = Open();
        await Assert.ThrowsAsync<ArgumentException>(() => table.TryAddAsync(Record(name, []), default));
        await Assert.ThrowsAsync<ArgumentException>(() => table.TryAddAsync(new TableRecord(name, "a", []), default));
        await Assert.ThrowsAsync<ArgumentException>(() => table.FindAsync(name, "a", default));
        await Assert.ThrowsAsync<ArgumentException>(() => table.ListAsync(name, 1, null, default));
    }

    [SkippableFact]
    public async Task The_longest_names_of_every_allowed_character_are_taken()
    {
        var table = Open();
        var name = "aZ09-_.:".PadRight(TableRecord.MaxNameLength, 'x');
        await table.TryAddAsync(new TableRecord(name, name, [1]), default);
        Assert.NotNull(await table.FindAsync(name, name, default));
        await Assert.ThrowsAsync<ArgumentException>(() => table.TryAddAsync(Record(name + "x", []), default));
    }

    [SkippableFact]
    public async Task What_is_there_is_not_added_again_and_an_old_version_is_neither_replaced_nor_removed()
    {
        var table = Open();
        var first = await table.TryAddAsync(Record("a", [1]), default);
        Assert.Null(await table.TryAddAsync(Record("a", [9]), default));
        var second = await table.TryReplaceAsync(first! with { Content = [2] }, default);

        Assert.Null(await table.TryReplaceAsync(first with { Content = [3] }, default));
        Assert.False(await table.TryRemoveAsync(first, default));

        Assert.Equal([2], (await table.FindAsync("p", "a", default))!.Content);
        Assert.True(await table.TryRemoveAsync(second!, default));
        Assert.Null(await table.FindAsync("p", "a", default));
        Assert.False(await table.TryRemoveAsync(second!, default));
        Assert.Null(await table.TryReplaceAsync(second!, default));
    }

    [SkippableFact]
    public async Task A_record_is_removed_by_its_name_alone_whatever_its_version()
    {
        var table = Open();
        await table.TryAddAsync(Record("b", [1]), default);
        var first = await table.TryAddAsync(Record("a", [1]), default);
        await table.TryReplaceAsync(first! with { Content = [2] }, default);

        Assert.True(await table.RemoveAsync("p", "a", default));
        Assert.False(await table.RemoveAsync("p", "a", default));

        Assert.Equal(["b"], Rows(await table.ListAsync("p", 10, null, default)));
        await Assert.ThrowsAsync<ArgumentException>(() => table.RemoveAsync("p", "a b", default));
    }

    [SkippableFact]
    public async Task A_record_that_was_removed_and_added_again_is_another_version()
    {
        var table = Open();
        var first = await table.TryAddAsync(Record("a", [1]), default);
        await table.TryRemoveAsync(first!, default);
        await table.TryAddAsync(Record("a", [2]), default);

        Assert.False(await table.TryRemoveAsync(first!, default));
        Assert.Null(await table.TryReplaceAsync(first! with { Content = [3] }, default));
        Assert.Equal([2], (await table.FindAsync("p", "a", default))!.Content);
    }

    [SkippableFact]
    public async Task Of_many_who_change_at_once_one_succeeds()
    {
        var table = Open();
        var adds = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => table.TryAddAsync(Record("a", [(byte)i]), default))));
        var first = Assert.Single(adds, add => add is not null)!;
        AssertSame(first, await table.FindAsync("p", "a", default));

        var changes = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => Task.Run(() => table.TryReplaceAsync(first with { Content = [(byte)(100 + i)] }, default))));

        AssertSame(Assert.Single(changes, change => change is not null), await table.FindAsync("p", "a", default));
    }

    [SkippableFact]
    public async Task A_partition_is_listed_in_the_order_of_its_rows_from_any_row_on_and_no_further_than_asked()
    {
        var table = Open();
        foreach (var row in new[] { "b", "a", "_", "Z", "10", "9", "a-b", "a.b" })
            await table.TryAddAsync(Record(row, []), default);
        await table.TryAddAsync(new TableRecord("p2", "c", []), default);

        Assert.Equal(["10", "9", "Z", "_", "a", "a-b", "a.b", "b"], Rows(await table.ListAsync("p", 100, null, default)));
        Assert.Equal(["10", "9", "Z"], Rows(await table.ListAsync("p", 3, null, default)));
        Assert.Equal(["_", "a"], Rows(await table.ListAsync("p", 2, "Z", default)));
        Assert.Empty(await table.ListAsync("p", 2, "b", default));
        Assert.Empty(await table.ListAsync("other", 2, null, default));
    }

    [SkippableFact]
    public async Task Tables_are_apart()
    {
        var (one, other) = (Open(), Open("OtherRecords"));
        await one.TryAddAsync(Record("a", [1]) with { ExpiresAt = Now }, default);

        Assert.Null(await other.FindAsync("p", "a", default));
        Assert.Empty(await other.ListAsync("p", 1, null, default));
        Assert.NotNull(await one.FindAsync("p", "a", default));
    }

    [SkippableFact]
    public async Task What_goes_beyond_one_step_meets_others_in_between()
    {
        var table = new InterceptedRecordTable(Open());
        var meddled = 0;
        table.After = async step =>
        {
            if (step == "find" && meddled++ < 2)
                await table.PutAsync(Record("a", [(byte)(10 + meddled)]), default);
        };

        Assert.Equal([1], (await table.PutAsync(Record("a", [1]), default)).Content);
        Assert.Equal([1], (await table.FindAsync("p", "a", default))!.Content);

        meddled = 0;
        Assert.True(await table.RemoveUnlessAsync("p", "a", _ => false, default));
        Assert.Null(await table.FindAsync("p", "a", default));
        Assert.False(await table.RemoveUnlessAsync("p", "a", _ => false, default));

        await table.PutAsync(Record("kept", [1]), default);
        Assert.False(await table.RemoveUnlessAsync("p", "kept", _ => true, default));
        await table.PutAsync(Record("b", []), default);
        Assert.Equal(2, await table.RemovePartitionAsync("p", default));
    }

    private static TableRecord Record(string row, byte[] content) => new("p", row, content);

    private static IEnumerable<string> Rows(IReadOnlyList<TableRecord> records) => records.Select(record => record.Row);

    private static void AssertSame(TableRecord? expected, TableRecord? actual)
    {
        Assert.NotNull(expected);
        Assert.NotNull(actual);
        Assert.Equal(expected.Content, actual.Content);
        Assert.Equal(expected with { Content = actual.Content }, actual);
    }
}
