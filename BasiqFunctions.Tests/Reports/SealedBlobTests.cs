using System.Security.Cryptography;
using System.Text;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Reports;
using BasiqFunctions.Tests.Data;
using BasiqFunctions.Tests.Users;
using Microsoft.Extensions.Logging.Abstractions;

namespace BasiqFunctions.Tests.Reports;

/// <summary>How what reports say is encrypted: segment by segment, each in its place, by a key that is rotated.</summary>
[Trait("Category", "Unit")]
public sealed class SealedBlobTests : IDisposable
{
    private const int Segment = SegmentCipher.ContentBytes;

    private static readonly int[] Cuts = [0, 1, 15, 16, 17, 1_000];

    private readonly UsersScene _scene = new();
    private readonly MemorySnapshotStorage _memory;
    private readonly InterceptedStorage _storage;

    public SealedBlobTests()
    {
        _memory = new MemorySnapshotStorage(_scene.Clock);
        _storage = new InterceptedStorage(_memory);
    }

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Segment - 1)]
    [InlineData(Segment)]
    [InlineData(Segment + 1)]
    [InlineData(3 * Segment)]
    [InlineData((3 * Segment) + 17)]
    public async Task What_was_written_in_any_pieces_is_read_again_and_lies_there_encrypted(int length)
    {
        var content = RandomNumberGenerator.GetBytes(length);

        await NewBlobs().WriteAsync("u/a", content.Chunk(100_003).ToAsyncEnumerable().Select(piece => (ReadOnlyMemory<byte>)piece), default);

        Assert.Equal(content, await ReadAsync("u/a"));
        var blob = (await _memory.ReadAsync("u/a", default))!.Content;
        Assert.True(blob.Span.IndexOf(content.AsSpan(0, Math.Min(length, 16))) < 0 || length < 4);
    }

    [Fact]
    public async Task A_bit_that_has_flipped_anywhere_is_never_read_as_data()
    {
        var (content, blob) = await WrittenAsync((2 * Segment) + 1_000);
        var header = blob.Length - (content.Length + (3 * SegmentCipher.TagBytes));
        var ends = new[] { header, header + SegmentCipher.SealedBytes, header + (2 * SegmentCipher.SealedBytes), blob.Length };
        int[] places = [.. Enumerable.Range(0, header), .. ends.SkipLast(1), .. ends.Select(end => end - 1), .. ends.Skip(1).Select(end => end - 17), .. ends.SkipLast(1).Select(begin => begin + 500)];
        foreach (var place in places)
        {
            var changed = blob.ToArray();
            changed[place] ^= 1;
            await AssertNotWholeAsync(content, changed);
        }
    }

    [Fact]
    public async Task A_blob_that_was_cut_lengthened_or_put_together_anew_is_never_read_as_whole()
    {
        var (content, blob) = await WrittenAsync(3 * Segment);
        var header = blob.Length - (content.Length + (4 * SegmentCipher.TagBytes));
        byte[][] segments =
            [blob[header..(header + SegmentCipher.SealedBytes)], .. Enumerable.Range(1, 2).Select(n => blob.AsSpan(header + (n * SegmentCipher.SealedBytes), SegmentCipher.SealedBytes).ToArray()), blob[(header + (3 * SegmentCipher.SealedBytes))..]];
        byte[] head = blob[..header];
        var cuts = Enumerable.Range(0, 4).SelectMany(n => Cuts.Select(more => header + (n * SegmentCipher.SealedBytes) + more));
        foreach (var length in Enumerable.Range(0, header).Concat(cuts).Where(length => length < blob.Length))
            await AssertNotWholeAsync(content, blob[..length]);
        await AssertNotWholeAsync(content, [.. blob, 0]);
        await AssertNotWholeAsync(content, [.. blob, .. segments[3]]);
        await AssertNotWholeAsync(content, [.. head, .. segments[1], .. segments[0], .. segments[2], .. segments[3]]);
        await AssertNotWholeAsync(content, [.. head, .. segments[0], .. segments[2], .. segments[1], .. segments[3]]);
        await AssertNotWholeAsync(content, [.. head, .. segments[0], .. segments[1], .. segments[3]]);
        await AssertNotWholeAsync(content, [.. head, .. segments[0], .. segments[0], .. segments[1], .. segments[2], .. segments[3]]);
        await AssertNotWholeAsync(content, [.. head, .. segments[3]]);
    }

    [Fact]
    public async Task A_blob_is_bound_to_its_name_and_has_a_key_of_its_own()
    {
        var (content, blob) = await WrittenAsync(2 * Segment);
        await NewBlobs().WriteAsync("u/b", Whole(content), default);
        var other = (await _memory.ReadAsync("u/b", default))!;

        // Neither the blob in another's place, nor a segment of it, is read.
        Assert.False(blob.AsSpan(^SegmentCipher.SealedBytes..).SequenceEqual(other.Content.Span[^SegmentCipher.SealedBytes..]));
        await AssertNotWholeAsync(content, [.. blob[..^(SegmentCipher.SealedBytes + SegmentCipher.TagBytes)], .. other.Content.Span[^(SegmentCipher.SealedBytes + SegmentCipher.TagBytes)..]]);
        await _memory.TryPutAsync("u/b", blob, other.ETag, default);
        Assert.Null(await NewBlobs().TryOpenAsync("u/b", default));
        Assert.Equal(content, await PutAndReadAsync(blob));
    }

    [Fact]
    public async Task It_is_read_segment_by_segment_as_whoever_takes_it_is_done_with_the_last()
    {
        await WrittenAsync(10 * Segment);
        var before = _storage.BytesRead;
        using var blob = (await NewBlobs().TryOpenAsync("u/a", default))!;
        var taken = 0;
        await foreach (var piece in blob.ReadAsync(default))
        {
            Assert.True(piece.Length <= Segment);
            Assert.InRange(_storage.BytesRead - before, 1, (++taken * SegmentCipher.SealedBytes) + ReportSeal.MaxHeaderBytes);
        }

        Assert.Equal(11, taken);
    }

    [Fact]
    public async Task A_rotated_key_encrypts_what_is_new_and_what_is_old_is_read_until_its_version_is_disabled()
    {
        var blobs = NewBlobs();
        await blobs.WriteAsync("u/old", Whole("old"u8.ToArray()), default);
        var secrets = _scene.Vault.CreateClient();
        var old = (await secrets.GetSecretAsync(SecretNames.ReportKey)).Value.Properties;
        var rotated = (await secrets.SetSecretAsync(SecretNames.ReportKey, "another")).Value.Properties.Version;
        _scene.Clock.Advance(TimeSpan.FromMinutes(6));

        await blobs.WriteAsync("u/new", Whole("new"u8.ToArray()), default);

        Assert.True((await _memory.ReadAsync("u/new", default))!.Content.Span.IndexOf(Encoding.ASCII.GetBytes(rotated)) >= 0);
        Assert.Equal(("new", "old"), (Encoding.UTF8.GetString(await ReadAsync("u/new")), Encoding.UTF8.GetString(await ReadAsync("u/old"))));
        old.Enabled = false;
        await secrets.UpdateSecretPropertiesAsync(old);
        Assert.Null(await NewBlobs().TryOpenAsync("u/old", default));
        Assert.Equal("new", Encoding.UTF8.GetString(await ReadAsync("u/new")));
    }

    [Fact]
    public async Task What_breaks_off_while_it_is_written_leaves_nothing()
    {
        await Assert.ThrowsAsync<IOException>(() => NewBlobs().WriteAsync("u/a", BrokenAsync(), default));

        Assert.Empty(_memory.Names);

        static async IAsyncEnumerable<ReadOnlyMemory<byte>> BrokenAsync()
        {
            yield return new byte[2 * Segment];
            await Task.CompletedTask;
            throw new IOException("broken off");
        }
    }

    private static IAsyncEnumerable<ReadOnlyMemory<byte>> Whole(byte[] content) => AsyncEnumerable.Repeat((ReadOnlyMemory<byte>)content, 1);

    /// <summary>As another instance, which has no key in memory.</summary>
    private SealedBlobs NewBlobs() => new(_storage, new ReportSeal(_scene.Vault.CreateClient(), _scene.Clock, NullLogger<ReportSeal>.Instance));

    private async Task<(byte[] Content, byte[] Blob)> WrittenAsync(int length)
    {
        var content = RandomNumberGenerator.GetBytes(length);
        await NewBlobs().WriteAsync("u/a", Whole(content), default);
        return (content, (await _memory.ReadAsync("u/a", default))!.Content.ToArray());
    }

    private async Task<byte[]> ReadAsync(string name)
    {
        using var blob = await NewBlobs().TryOpenAsync(name, default);
        Assert.NotNull(blob);
        using var read = new MemoryStream();
        await foreach (var piece in blob.ReadAsync(default))
            read.Write(piece.Span);
        return read.ToArray();
    }

    private async Task<byte[]> PutAndReadAsync(byte[] blob)
    {
        await PutAsync(blob);
        return await ReadAsync("u/a");
    }

    private async Task PutAsync(byte[] blob)
    {
        Assert.NotNull(await _memory.TryPutAsync("u/a", blob, (await _memory.ReadAsync("u/a", default))!.ETag, default));
    }

    /// <summary>It cannot be opened, or breaks off behind what was really there.</summary>
    private async Task AssertNotWholeAsync(byte[] content, byte[] changed)
    {
        await PutAsync(changed);
        using var blob = await NewBlobs().TryOpenAsync("u/a", default);
        if (blob is null)
            return;
        using var read = new MemoryStream();
        await Assert.ThrowsAsync<ReportDamagedException>(async () =>
        {
            await foreach (var piece in blob.ReadAsync(default))
                read.Write(piece.Span);
        });
        Assert.True(content.AsSpan().StartsWith(read.ToArray()) && read.Length % Segment == 0);
    }
}
