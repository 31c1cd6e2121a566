using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Data;

/// <summary>
/// A blob of JSON with the checksum of its content: <c>{"crc32c":"…","content":…}</c>. A blob from before there were checksums is the
/// content alone.
/// </summary>
internal static class ChecksummedJson
{
    private const int ChecksumLength = 8;

    private static ReadOnlySpan<byte> Start => "{\"crc32c\":\""u8;

    private static ReadOnlySpan<byte> Middle => "\",\"content\":"u8;

    private static ReadOnlySpan<byte> End => "}"u8;

    public static byte[] Write<T>(T value, JsonTypeInfo<T> type)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(value, type);
        return [.. Start, .. Encoding.ASCII.GetBytes(ChecksumOf(content)), .. Middle, .. content, .. End];
    }

    /// <exception cref="SnapshotCorruptException">It is not what was written.</exception>
    /// <exception cref="SnapshotFromLaterVersionException">It is, and a later version of this app wrote it.</exception>
    public static T Read<T>(string blobName, ReadOnlySpan<byte> blob, JsonTypeInfo<T> type)
        where T : class
    {
        var content = blob;
        var contentAt = Start.Length + ChecksumLength + Middle.Length;
        var isChecked = blob.StartsWith(Start);
        if (isChecked)
        {
            if (blob.Length < contentAt + End.Length
                || !blob[..contentAt].EndsWith(Middle)
                || !blob.EndsWith(End)
                || !blob.Slice(Start.Length, ChecksumLength).SequenceEqual(Encoding.ASCII.GetBytes(ChecksumOf(content = blob[contentAt..^End.Length]))))
            {
                throw new SnapshotCorruptException(blobName, "it has another checksum");
            }
        }

        try
        {
            return JsonSerializer.Deserialize(content, type) ?? throw new SnapshotCorruptException(blobName, "it is null");
        }
        catch (JsonException e)
        {
            // Where it breaks, without the exception's message, which may quote what stands there.
            throw isChecked ? new SnapshotFromLaterVersionException(blobName) : new SnapshotCorruptException(blobName, $"its JSON breaks at line {e.LineNumber}, byte {e.BytePositionInLine}");
        }
    }

    private static string ChecksumOf(ReadOnlySpan<byte> content) => Crc32C.Compute(content).ToString("x8", CultureInfo.InvariantCulture);
}
