using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Storage;

namespace BasiqFunctions.Snapshots;

/// <summary>A page of a segment: a range of its bytes, and what is in it.</summary>
internal readonly record struct PageEntry(long Offset, int Length, uint Crc, Extent Extent);

/// <summary>
/// A segment is NDJSON: one line per transaction, page after page; then a line with the index of the pages; then a line of fixed
/// length that says how long the index is and what its checksum is. One blob, so the index and the data appear together or not at
/// all. The index names the time zone by which it counts days; one that names none took them as they are written. Offsets are per page, so a later version can compress each page and stay readable by range.
/// </summary>
internal static class SegmentFormat
{
    public const int TrailerLength = 48;

    /// <summary>The two lines that end a segment.</summary>
    public static byte[] WriteFooter(List<PageEntry> pages, string timeZone)
    {
        var buffer = new ArrayBufferWriter<byte>(256 + (pages.Count * 64));
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
                writer.WriteEndArray();
            }
            writer.WriteEndArray();
            writer.WriteString("timeZone"u8, timeZone);
            writer.WriteEndObject();
        }
        buffer.Write("\n"u8);
        var index = buffer.WrittenSpan;
        var trailer = string.Create(CultureInfo.InvariantCulture, $"{{\"v\":\"1\",\"index\":\"{index.Length:D10}\",\"crc\":\"{Crc32C.Compute(index):x8}\"}}");
        // Padded with white space, which JSON allows, to its fixed length.
        buffer.Write(Encoding.ASCII.GetBytes(trailer.PadRight(TrailerLength - 1) + "\n"));
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads the last line.</summary>
    /// <exception cref="SnapshotCorruptException">It is not one.</exception>
    public static (int IndexLength, uint IndexCrc) ReadTrailer(string blobName, ReadOnlySpan<byte> trailer)
    {
        var start = "{\"v\":\"1\",\"index\":\""u8;
        var middle = "\",\"crc\":\""u8;
        var crcAt = start.Length + 10 + middle.Length;
        if (trailer.Length == TrailerLength
            && trailer.StartsWith(start)
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
    public static (PageEntry[] Pages, string? TimeZone) ReadIndex(string blobName, ReadOnlySpan<byte> index, uint crc, long dataLength)
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
                        (int)Next(ref reader)));
                reader.Read();
                if (page.Offset != end || page.Length <= 0)
                    throw new SnapshotCorruptException(blobName, "the pages of its index do not join");
                end += page.Length;
                pages.Add(page);
            }
            if (end != dataLength)
                throw new SnapshotCorruptException(blobName, "its index is for another length");
            string? timeZone = null;
            if (reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("timeZone"u8) && reader.Read())
                timeZone = reader.GetString();
            return ([.. pages], timeZone);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new SnapshotCorruptException(blobName, "its index is malformed", e);
        }
    }

    private static long Next(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.GetInt64();
    }
}
