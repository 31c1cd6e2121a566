using System.Security.Cryptography;
using System.Text;
using BasiqFunctions.Data;

namespace BasiqFunctions.Tests.Data;

/// <summary>What every snapshot storage must do.</summary>
public abstract class SnapshotStorageContract
{
    private static readonly string[] InA = ["u/a/1.x", "u/a/b/2"];

    [SkippableFact]
    public async Task A_written_blob_is_read_whole_and_by_range()
    {
        var storage = Open();
        var content = RandomNumberGenerator.GetBytes(5_000_000);
        await using (var writer = await storage.OpenWriteAsync("u/big", default))
        {
            foreach (var part in content.Chunk(700_001))
                await writer.WriteAsync(part, default);
            Assert.False(await storage.ExistsAsync("u/big", default));
            Assert.Null(await storage.ReadAsync("u/big", default));
            await writer.CommitAsync(default);
        }

        Assert.True(await storage.ExistsAsync("u/big", default));
        var whole = await storage.ReadAsync("u/big", default);
        Assert.True(content.AsSpan().SequenceEqual(whole!.Content.Span));
        var range = new byte[3_000_000];
        Assert.Equal(range.Length, await storage.ReadRangeAsync("u/big", 1_234_567, range, default));
        Assert.True(content.AsSpan(1_234_567, range.Length).SequenceEqual(range));
        Assert.Equal(10, await storage.ReadRangeAsync("u/big", content.Length - 10, new byte[20], default));
        Assert.Equal(0, await storage.ReadRangeAsync("u/big", content.Length, new byte[20], default));
        Assert.Null(await storage.ReadRangeAsync("u/none", 0, new byte[20], default));
        Assert.Equal(content.Length, Assert.Single(await ListAsync(storage, "u/")).Length);
    }

    [SkippableFact]
    public async Task A_write_that_is_not_committed_never_was_and_one_that_is_replaces_the_blob()
    {
        var storage = Open();
        await WriteAsync(storage, "u/a", "first"u8.ToArray());
        await using (var writer = await storage.OpenWriteAsync("u/a", default))
            await writer.WriteAsync(new byte[3_000_000], default);
        Assert.Equal("first"u8.ToArray(), (await storage.ReadAsync("u/a", default))!.Content.ToArray());

        await WriteAsync(storage, "u/a", []);
        Assert.Empty((await storage.ReadAsync("u/a", default))!.Content.ToArray());
    }

    [SkippableFact]
    public async Task A_blob_that_is_known_need_not_come_again_and_another_does()
    {
        var storage = Open();
        var first = (await storage.TryPutAsync("u/a", "first"u8.ToArray(), null, default))!;
        var known = await storage.ReadUnlessAsync("u/a", first, default);
        Assert.Equal(first, known!.ETag);
        Assert.Contains(known.Content.Length, (int[])[0, 5]);

        var second = await storage.TryPutAsync("u/a", "second"u8.ToArray(), first, default);
        var changed = await storage.ReadUnlessAsync("u/a", first, default);
        Assert.Equal((second, "second"), (changed!.ETag, Encoding.UTF8.GetString(changed.Content.Span)));
        await storage.DeleteAsync("u/a", default);
        Assert.Null(await storage.ReadUnlessAsync("u/a", first, default));
    }

    [SkippableFact]
    public async Task Top_folders_are_listed_whatever_lies_under_them()
    {
        var storage = Open();
        foreach (var name in new[] { "Ab_c/x", "Ab_c/y/z", "b/x/y", "c" })
            await WriteAsync(storage, name, [1]);

        List<string> names = [];
        for (var page = await storage.ListFoldersAsync(null, default); ; page = await storage.ListFoldersAsync(page.Next, default))
        {
            names.AddRange(page.Names);
            if (page.Next is null)
                break;
        }

        Assert.Equal(["Ab_c", "b"], names);
    }

    [SkippableFact]
    public async Task A_conditional_write_happens_only_under_its_condition()
    {
        var storage = Open();
        Assert.Null(await storage.TryPutAsync("u/m", "x"u8.ToArray(), "\"0x8D\"", default));
        var first = await storage.TryPutAsync("u/m", "1"u8.ToArray(), null, default);
        Assert.NotNull(first);
        Assert.Null(await storage.TryPutAsync("u/m", "2"u8.ToArray(), null, default));
        var second = await storage.TryPutAsync("u/m", "3"u8.ToArray(), first, default);
        Assert.NotNull(second);
        Assert.Null(await storage.TryPutAsync("u/m", "4"u8.ToArray(), first, default));

        var read = await storage.ReadAsync("u/m", default);
        Assert.Equal("3"u8.ToArray(), read!.Content.ToArray());
        Assert.Equal(second, read.ETag);

        Assert.False(await storage.TryDeleteAsync("u/m", first, default));
        Assert.True(await storage.TryDeleteAsync("u/m", second, default));
        Assert.False(await storage.TryDeleteAsync("u/m", second, default));
        Assert.Null(await storage.ReadAsync("u/m", default));
    }

    [SkippableFact]
    public async Task Of_many_writers_with_one_etag_one_succeeds_each_time()
    {
        var storage = Open();
        string? etag = null;
        for (var round = 0; round < 5; round++)
        {
            var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => storage.TryPutAsync("u/m", new byte[] { (byte)round, (byte)i }, etag, default))));
            etag = Assert.Single(results, r => r is not null);
        }
        Assert.Equal(etag, (await storage.ReadAsync("u/m", default))!.ETag);
    }

    [SkippableFact]
    public async Task A_listing_and_a_deletion_take_what_is_under_their_prefix()
    {
        var storage = Open();
        foreach (var name in new[] { "u/a/1.x", "u/a/b/2", "u/ab/3", "u/A/4", "u/a_b/5", "v/a/6" })
            await WriteAsync(storage, name, "x"u8.ToArray());
        Assert.Equal(InA, await NamesAsync(storage, "u/a/"));
        Assert.Equal(6, (await NamesAsync(storage, "")).Length);
        Assert.Empty(await NamesAsync(storage, "w/"));

        await storage.DeleteAsync("u/a/1.x", default);
        await storage.DeleteAsync("u/a/1.x", default);
        await storage.DeleteByPrefixAsync("u/a/", default);
        await storage.DeleteByPrefixAsync("u/a/", default);
        Assert.Equal(["u/A/4", "u/a_b/5", "u/ab/3", "v/a/6"], await NamesAsync(storage, ""));
        await storage.DeleteByPrefixAsync("", default);
        Assert.Empty(await NamesAsync(storage, ""));
        await WriteAsync(storage, "u/a/1.x", "again"u8.ToArray());
        Assert.Single(await NamesAsync(storage, ""));
    }

    [SkippableTheory]
    [InlineData("")]
    [InlineData("/u")]
    [InlineData("u//a")]
    [InlineData("u/")]
    [InlineData("../u")]
    [InlineData("u/../../a")]
    [InlineData("u/.a")]
    [InlineData("u\\a")]
    [InlineData("C:/a")]
    [InlineData("u/a\0")]
    [InlineData("u/é")]
    [InlineData("u/~a")]
    public async Task A_name_that_could_lead_elsewhere_is_refused(string name)
    {
        var storage = Open();
        await Assert.ThrowsAsync<ArgumentException>(() => storage.ReadAsync(name, default));
        await Assert.ThrowsAsync<ArgumentException>(() => storage.OpenWriteAsync(name, default));
        await Assert.ThrowsAsync<ArgumentException>(() => storage.TryPutAsync(name, default, null, default));
        await Assert.ThrowsAsync<ArgumentException>(() => storage.ReadRangeAsync(name, 0, new byte[1], default));
        await Assert.ThrowsAsync<ArgumentException>(() => storage.DeleteAsync(name, default));
        if (name is not ("" or "u/"))
            await Assert.ThrowsAsync<ArgumentException>(() => storage.DeleteByPrefixAsync(name, default));
    }

    [SkippableFact]
    public async Task Many_blobs_come_and_go_in_one_folder_at_once()
    {
        var storage = Open();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            for (var round = 0; round < 5; round++)
            {
                await WriteAsync(storage, $"u/f/{i}", "x"u8.ToArray());
                await storage.DeleteAsync($"u/f/{i}", default);
            }
        })));
        Assert.Empty(await NamesAsync(storage, ""));
    }

    /// <summary>An empty storage of the test's own, or the test is skipped.</summary>
    internal abstract ISnapshotStorage Open();

    private protected static async Task WriteAsync(ISnapshotStorage storage, string name, byte[] content)
    {
        await using var writer = await storage.OpenWriteAsync(name, default);
        await writer.WriteAsync(content, default);
        await writer.CommitAsync(default);
    }

    private protected static async Task<List<SnapshotBlobInfo>> ListAsync(ISnapshotStorage storage, string prefix)
    {
        var blobs = new List<SnapshotBlobInfo>();
        await foreach (var blob in storage.ListAsync(prefix, default))
            blobs.Add(blob);
        return blobs;
    }

    private static async Task<string[]> NamesAsync(ISnapshotStorage storage, string prefix) =>
        [.. (await ListAsync(storage, prefix)).Select(b => b.Name).Order(StringComparer.Ordinal)];
}
