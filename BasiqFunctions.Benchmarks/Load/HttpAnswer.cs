using System.Buffers.Text;

namespace BasiqFunctions.Benchmarks.Load;

/// <summary>Finds the end of an HTTP/1.1 answer in what has been received so far, by its length or by its chunks.</summary>
internal static class HttpAnswer
{
    /// <summary>False while more has to come.</summary>
    /// <param name="received">From the first byte of the answer on.</param>
    /// <param name="status">The status.</param>
    /// <param name="length">How many bytes the answer has in all.</param>
    /// <exception cref="InvalidDataException">It is no HTTP/1.1 answer whose end can be told.</exception>
    public static bool TryRead(ReadOnlySpan<byte> received, out int status, out int length)
    {
        (status, length) = (0, 0);
        var headers = received.IndexOf("\r\n\r\n"u8);
        if (headers < 0)
            return false;
        if (!received.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(received[9..headers], out status, out _))
            throw new InvalidDataException("Not an HTTP/1.1 answer.");
        var head = received[..(headers + 2)];
        var body = headers + 4;
        if (Header(head, "content-length"u8) is { IsEmpty: false } text)
        {
            if (!Utf8Parser.TryParse(text, out int expected, out _))
                throw new InvalidDataException("A Content-Length that is no number.");
            length = body + expected;
            return received.Length >= length;
        }

        if (Header(head, "transfer-encoding"u8).IsEmpty)
        {
            if (status is not (204 or 304))
                throw new InvalidDataException("An answer whose end cannot be told.");
            length = body;
            return true;
        }

        return TryReadChunks(received, body, out length);
    }

    private static bool TryReadChunks(ReadOnlySpan<byte> received, int at, out int length)
    {
        length = 0;
        while (true)
        {
            var end = received[at..].IndexOf("\r\n"u8);
            if (end < 0)
                return false;
            if (!Utf8Parser.TryParse(received.Slice(at, end), out int size, out _, 'X'))
                throw new InvalidDataException("A chunk without a size.");
            at += end + 2 + size + 2;
            if (at > received.Length)
                return false;
            if (size == 0)
            {
                length = at;
                return true;
            }
        }
    }

    private static ReadOnlySpan<byte> Header(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        while (head.IndexOf("\r\n"u8) is >= 0 and var end)
        {
            var line = head[..end];
            head = head[(end + 2)..];
            if (line.Length > name.Length && line[name.Length] == ':' && EqualsIgnoringCase(line[..name.Length], name))
                return line[(name.Length + 1)..].TrimStart((byte)' ');
        }

        return [];
    }

    private static bool EqualsIgnoringCase(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if ((text[i] | 0x20) != lower[i])
                return false;
        }

        return true;
    }
}
