using System.Buffers;

namespace BasiqFunctions.Data;

/// <summary>A page of a segment in memory: transactions, one a line. It is good until it is disposed.</summary>
internal sealed class SegmentPage(string blobName, PageEntry entry, byte[] buffer, int length) : IDisposable
{
    private byte[]? _buffer = buffer;

    public ReadOnlySpan<byte> Bytes => Writable;

    /// <summary>Where whoever reads it puts it.</summary>
    internal Span<byte> Writable => (_buffer ?? throw new ObjectDisposedException(nameof(SegmentPage))).AsSpan(0, length);

    /// <summary>The transactions, as ranges of the page's bytes.</summary>
    /// <exception cref="SnapshotCorruptException">There are more or fewer of them than the index says.</exception>
    public Range[] Lines()
    {
        var page = Bytes;
        var lines = new Range[entry.Extent.Count];
        int line = 0, at = 0;
        for (; at < page.Length; line++)
        {
            var end = page[at..].IndexOf((byte)'\n');
            if (end < 0)
                throw new SnapshotCorruptException(blobName, $"the page at byte {entry.Offset} has no end");
            if (line < lines.Length)
                lines[line] = at..(at + end);
            at += end + 1;
        }
        if (line != lines.Length)
            throw new SnapshotCorruptException(blobName, $"the page at byte {entry.Offset} has {line} lines, not {lines.Length}");
        return lines;
    }

    /// <summary>It held personal data, and goes back to a pool that the whole process shares.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } held)
            ArrayPool<byte>.Shared.Return(held, clearArray: true);
    }
}
