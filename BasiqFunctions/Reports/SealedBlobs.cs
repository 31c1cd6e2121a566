using System.Runtime.CompilerServices;
using BasiqFunctions.Data;

namespace BasiqFunctions.Reports;

/// <summary>Writes and reads encrypted blobs, segment by segment.</summary>
internal sealed class SealedBlobs(ISnapshotStorage storage, ReportSeal seal)
{
    /// <summary>Encrypts and writes a blob, which nobody sees before its content has come to its end.</summary>
    public async Task WriteAsync(string name, IAsyncEnumerable<ReadOnlyMemory<byte>> content, CancellationToken cancellation)
    {
        await using var blob = await storage.OpenWriteAsync(name, cancellation);
        var (header, cipher) = await seal.BeginAsync(name, cancellation);
        using var _ = cipher;
        await blob.WriteAsync(header, cancellation);
        var (plain, segment) = (new byte[SegmentCipher.ContentBytes], new byte[SegmentCipher.SealedBytes]);
        var length = 0;
        await foreach (var piece in content.WithCancellation(cancellation))
        {
            for (var left = piece; left.Length > 0;)
            {
                var taken = Math.Min(left.Length, plain.Length - length);
                left.Span[..taken].CopyTo(plain.AsSpan(length));
                (left, length) = (left[taken..], length + taken);
                if (length < plain.Length)
                    continue;
                await blob.WriteAsync(segment.AsMemory(0, cipher.Seal(plain, segment)), cancellation);
                length = 0;
            }
        }

        await blob.WriteAsync(segment.AsMemory(0, cipher.Seal(plain.AsSpan(0, length), segment)), cancellation);
        await blob.CommitAsync(cancellation);
    }

    /// <summary>Opens a blob and reads its first segment; null when it is not there, or that cannot be read.</summary>
    public async Task<SealedBlob?> TryOpenAsync(string name, CancellationToken cancellation)
    {
        var read = new byte[ReportSeal.MaxHeaderBytes + SegmentCipher.SealedBytes];
        if (await storage.ReadRangeAsync(name, 0, read, cancellation) is not { } length
            || await seal.TryOpenAsync(name, read.AsMemory(0, length), cancellation) is not var (begin, cipher))
            return null;
        var first = read.AsMemory(begin, Math.Min(length - begin, SegmentCipher.SealedBytes));
        var content = new byte[SegmentCipher.ContentBytes];
        if (cipher.TryOpen(first.Span, content) is { } bytes)
            return new SealedBlob(storage, name, begin + SegmentCipher.SealedBytes, cipher, content, bytes);
        cipher.Dispose();
        return null;
    }
}

/// <summary>A blob whose first segment has been read and found to be sound.</summary>
internal sealed class SealedBlob(ISnapshotStorage storage, string name, long second, SegmentCipher cipher, byte[] content, int length) : IDisposable
{
    /// <summary>The content, piece by piece, once; each is good until the next is asked for.</summary>
    /// <exception cref="ReportDamagedException">The rest is damaged: what has been read so far is not the whole.</exception>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return content.AsMemory(0, length);
        var segment = length == SegmentCipher.ContentBytes ? new byte[SegmentCipher.SealedBytes] : [];
        for (var (at, last) = (second, length); last == SegmentCipher.ContentBytes; at += SegmentCipher.SealedBytes)
        {
            var read = await storage.ReadRangeAsync(name, at, segment, cancellation) ?? 0;
            last = cipher.TryOpen(segment.AsSpan(0, read), content) ?? throw new ReportDamagedException();
            yield return content.AsMemory(0, last);
        }
    }

    /// <inheritdoc />
    public void Dispose() => cipher.Dispose();
}

/// <summary>What is stored of a report is damaged, behind what has been read of it.</summary>
internal sealed class ReportDamagedException() : Exception("What is stored of a report is damaged.");
