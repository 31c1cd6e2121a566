using BasiqFunctions.Data;
using BasiqFunctions.LocalHost.Data;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Data;

[Trait("Category", "Unit")]
public sealed class FileSnapshotStorageTests : SnapshotStorageContract, IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);

    private string Root => Path.Combine(_folder.Path, "data", "snapshots");

    public void Dispose() => _folder.Dispose();

    internal override ISnapshotStorage Open() => new FileSnapshotStorage(Root, _clock);

    [SkippableFact]
    public async Task Only_the_owner_can_open_the_files_and_folders()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no Unix file modes.");
        if (OperatingSystem.IsWindows())
            return;
        var storage = Open();
        await WriteAsync(storage, "u/a/b", [1]);
        await storage.TryPutAsync("u/c", new byte[] { 1 }, null, default);
        await using var writer = await storage.OpenWriteAsync("u/d/e", default);

        foreach (var entry in Directory.EnumerateFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories))
        {
            var expected = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            if (Directory.Exists(entry))
                expected |= UnixFileMode.UserExecute;
            Assert.Equal(expected, File.GetUnixFileMode(entry));
        }
    }

    /// <summary>A link in a circle stands for a disk out of reach: everything behind it fails, and nothing is missing.</summary>
    [SkippableFact]
    public async Task Storage_out_of_reach_is_an_error_and_never_taken_for_empty()
    {
        Skip.If(OperatingSystem.IsWindows(), "Links need rights there.");
        var storage = Open();
        await WriteAsync(storage, "u/a/b", [1]);
        Directory.Move(Root, Root + ".away");
        File.CreateSymbolicLink(Root, Root);

        await Assert.ThrowsAnyAsync<IOException>(() => storage.ExistsAsync("u/a/b", default));
        await Assert.ThrowsAnyAsync<IOException>(() => storage.ReadAsync("u/a/b", default));
        await Assert.ThrowsAnyAsync<IOException>(() => storage.ReadRangeAsync("u/a/b", 0, new byte[1], default));
        await Assert.ThrowsAnyAsync<IOException>(() => storage.TryPutAsync("u/c", new byte[] { 1 }, null, default));
        await Assert.ThrowsAnyAsync<IOException>(() => storage.DeleteAsync("u/a/b", default));
        await Assert.ThrowsAnyAsync<IOException>(() => storage.DeleteByPrefixAsync("u/", default));
        await Assert.ThrowsAnyAsync<IOException>(() => storage.ListAsync("u/", default).ToListAsync().AsTask());

        File.Delete(Root);
        Directory.Move(Root + ".away", Root);
        Assert.True(await storage.ExistsAsync("u/a/b", default));
    }

    [Fact]
    public async Task No_folder_is_left_when_its_last_blob_goes()
    {
        var storage = Open();
        await WriteAsync(storage, "u/a/b", [1]);
        await WriteAsync(storage, "u/c", [1]);
        await storage.DeleteAsync("u/a/b", default);
        Assert.Equal([Path.Combine(Root, "u"), Path.Combine(Root, "u", "c")], Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories).Order());
        await storage.DeleteByPrefixAsync("u/", default);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Root));
        await using (var writer = await storage.OpenWriteAsync("u/x", default))
            await writer.WriteAsync(new byte[] { 1 }, default);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Root));
    }

    [Fact]
    public async Task Names_that_differ_by_case_are_different_files_even_where_files_ignore_case()
    {
        var storage = Open();
        foreach (var name in new[] { "Ab", "aB", "ab", "_ab", "a_b", "A_b" })
            await WriteAsync(storage, name, [1]);
        Assert.Equal(6, Directory.EnumerateFiles(Root).Select(f => Path.GetFileName(f)!.ToUpperInvariant()).Distinct().Count());
        Assert.Equal(["A_b", "Ab", "_ab", "aB", "a_b", "ab"], (await ListAsync(storage, "")).Select(b => b.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_file_that_a_killed_process_left_half_written_is_removed()
    {
        var storage = Open();
        Directory.CreateDirectory(Path.Combine(Root, "u"));
        await File.WriteAllTextAsync(Path.Combine(Root, "u", "~0123.tmp"), "half");
        await using var writer = await storage.OpenWriteAsync("v/x", default);
        Assert.Empty(await ListAsync(storage, ""));
        Assert.True(Directory.Exists(Path.Combine(Root, "u")));

        _clock.Advance(TimeSpan.FromHours(2));
        Assert.Empty(await ListAsync(storage, ""));

        Assert.False(Directory.Exists(Path.Combine(Root, "u")));
        await writer.CommitAsync(default);
        Assert.Single(await ListAsync(storage, ""));
    }
}
