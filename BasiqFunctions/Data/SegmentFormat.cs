using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Data;

/// <summary>A page of a segment: a range of its bytes, and what is in it.</summary>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">How long it is in the segment.</param>
/// <param name="Crc">The checksum of those bytes.</param>
/// <param name="Extent">What it spans.</param>
/// <param name="Size">How long it is once it is decompressed; 0 when it is not compressed.</param>
internal readonly record struct PageEntry(long Offset, int Length, uint Crc, Extent Extent, int Size);

/// <summary>The index of a segment.</summary>
/// <param name="Pages">Its pages, in order.</param>
/// <param name="TimeZone">The time zone by which it counts days; null where they are taken as they are written.</param>
/// <param name="IdsOffset">Where the hashes of the ids begin.</param>
/// <param name="IdsLength">How long those are; 0 where there are none.</param>
/// <param name="IdsCrc">Their checksum.</param>
internal sealed record SegmentIndex(PageEntry[] Pages, string? TimeZone, long IdsOffset, int IdsLength, uint IdsCrc);

/// <summary>
/// A segment is page after page, each NDJSON (one line per transaction), compressed by itself so that it can be read by itself; then a
/// hash of each transaction's id, 8 bytes each, in the same order; then a line with the index of all that; then a line of fixed length
/// that says how long the index is and what its checksum is. One blob, so the index and the data appear together or not at all. The
/// index names the time zone by which it counts days.
/// </summary>
/// <remarks>
/// Version 1, which is read as well, has pages that are not compressed, no hashes, and extents that tell less; one that names no time
/// zone took days as they are written.
/// </remarks>
internal static class SegmentFormat
{
    public const int TrailerLength = 48;

    /// <summary>The bytes of a hash of an id.</summary>
    public const int IdLength = sizeof(ulong);

    /// <summary>
    /// Of the qualities of Brotli the one that makes a page a fifteenth of its size in little more time than to write it uncompressed:
    /// the next ones take more than twice as long for a few bytes a transaction.
    /// </summary>
    private const int Quality = 1;

    private const int Window = 18;

    /// <summary>The longest that so many bytes can become.</summary>
    public static int MostCompressed(int length) => BrotliEncoder.GetMaxCompressedLength(length);

    public static int Compress(ReadOnlySpan<byte> page, Span<byte> destination) =>
        BrotliEncoder.TryCompress(page, destination, out var written, Quality, Window)
            ? written
            : throw new InvalidOperationException("A page does not fit into the most that it can become.");

    /// <summary>Fills the destination, which has the page's size.</summary>
    /// <exception cref="SnapshotCorruptException">It is not what was compressed.</exception>
    public static void Decompress(string blobName, ReadOnlySpan<byte> compressed, Span<byte> destination)
    {
        if (!BrotliDecoder.TryDecompress(compressed, destination, out var written) || written != destination.Length)
            throw new SnapshotCorruptException(blobName, "a page of it cannot be decompressed");
    }

    /// <summary>The two lines that end a segment.</summary>
    public static byte[] WriteFooter(List<PageEntry> pages, ReadOnlySpan<byte> ids, string timeZone)
    {
        var buffer = new ArrayBufferWriter<byte>(256 + (pages.Count * 96));
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("pages"u8);
            foreach (var page in pages)
            {
                writer.WriteStartArray();
                writer.WriteNumberValue(page.Offset);
                writer.WriteNumberValue(page.Length);
                writer.WriteNumberValue(page.Crc);
                writer.WriteNumberValue(page.Extent.Count);
                writer.WriteNumberValue(page.Extent.MinDay);
                writer.WriteNumberValue(page.Extent.MaxDay);
                writer.WriteNumberValue(page.Extent.Pending);
                writer.WriteNumberValue(page.Extent.Posted);
                writer.WriteNumberValue(page.Extent.Undated);
                writer.WriteNumberValue(page.Size);
                writer.WriteNumberValue(page.Extent.Odd);
                writer.WriteNumberValue(page.Extent.MinPostDay);
                writer.WriteNumberValue(page.Extent.MaxPostDay);
                writer.WriteEndArray();
            }
            writer.WriteEndArray();
            writer.WriteString("timeZone"u8, timeZone);
            writer.WriteStartArray("ids"u8);
            writer.WriteNumberValue(ids.Length);
            writer.WriteNumberValue(Crc32C.Compute(ids));
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        buffer.Write("\n"u8);
        var index = buffer.WrittenSpan;
        var trailer = string.Create(CultureInfo.InvariantCulture, $"{{\"v\":\"2\",\"index\":\"{index.Length:D10}\",\"crc\":\"{Crc32C.Compute(index):x8}\"}}");
        // Padded with white space, which JSON allows, to its fixed length.
        buffer.Write(Encoding.ASCII.GetBytes(trailer.PadRight(TrailerLength - 1) + "\n"));
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads the last line.</summary>
    /// <exception cref="SnapshotCorruptException">It is not one.</exception>
    public static (int IndexLength, uint IndexCrc) ReadTrailer(string blobName, ReadOnlySpan<byte> trailer)
    {
        var start = "{\"v\":\"2\",\"index\":\""u8;
        var startOfOld = "{\"v\":\"1\",\"index\":\""u8;
        var middle = "\",\"crc\":\""u8;
        var crcAt = start.Length + 10 + middle.Length;
        if (trailer.Length == TrailerLength
            && (trailer.StartsWith(start) || trailer.StartsWith(startOfOld))
            && Utf8Parser.TryParse(trailer.Slice(start.Length, 10), out int length, out var consumed) && consumed == 10 && length > 0
            && trailer[(start.Length + 10)..].StartsWith(middle)
            && Utf8Parser.TryParse(trailer.Slice(crcAt, 8), out uint crc, out consumed, 'x') && consumed == 8)
        {
            return (length, crc);
        }
        throw new SnapshotCorruptException(blobName, "it does not end as a segment does");
    }

    /// <summary>Reads the index line and checks it against its checksum and the data's length.</summary>
    /// <exception cref="SnapshotCorruptException">It does not fit.</exception>
    public static SegmentIndex ReadIndex(string blobName, ReadOnlySpan<byte> index, uint crc, long dataLength)
    {
        if (Crc32C.Compute(index) != crc)
            throw new SnapshotCorruptException(blobName, "its index has another checksum");
        try
        {
            var pages = new List<PageEntry>();
            var reader = new Utf8JsonReader(index);
            reader.Read();
            reader.Read();
            reader.Read();
            long end = 0;
            while (reader.Read() && reader.TokenType == JsonTokenType.StartArray)
            {
                var page = ReadPage(ref reader);
                if (page.Offset != end || page.Length <= 0 || page.Size < 0)
                    throw new SnapshotCorruptException(blobName, "the pages of its index do not join");
                end += page.Length;
                pages.Add(page);
            }
            string? timeZone = null;
            var idsLength = 0;
            uint idsCrc = 0;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isZone = reader.ValueTextEquals("timeZone"u8);
                reader.Read();
                if (isZone)
                {
                    timeZone = reader.GetString();
                    continue;
                }
                idsLength = (int)Next(ref reader);
                idsCrc = (uint)Next(ref reader);
                reader.Read();
            }
            if (end + idsLength != dataLength || idsLength < 0)
                throw new SnapshotCorruptException(blobName, "its index is for another length");
            return new SegmentIndex([.. pages], timeZone, end, idsLength, idsCrc);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new SnapshotCorruptException(blobName, "its index is malformed", e);
        }
    }

    private static PageEntry ReadPage(ref Utf8JsonReader reader)
    {
        var page = new PageEntry(
            Next(ref reader),
            (int)Next(ref reader),
            (uint)Next(ref reader),
            new Extent(
                (int)Next(ref reader),
                (int)Next(ref reader),
                (int)Next(ref reader),
                (int)Next(ref reader),
                (int)Next(ref reader),
                (int)Next(ref reader)),
            Size: 0);
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndArray)
            return page;
        page = page with
        {
            Size = reader.GetInt32(),
            Extent = page.Extent with { Odd = (int)Next(ref reader), MinPostDay = (int)Next(ref reader), MaxPostDay = (int)Next(ref reader) },
        };
        reader.Read();
        return page;
    }

    private static long Next(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.GetInt64();
    }
}
