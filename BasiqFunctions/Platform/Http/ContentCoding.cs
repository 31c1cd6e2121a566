using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Platform.Http;

/// <summary>The content codings of answers: Brotli or gzip, for callers that accept one (RFC 9110, section 12.5.3).</summary>
internal static class ContentCoding
{
    public const string Brotli = "br";
    public const string Gzip = "gzip";

    /// <summary>The lowest quality that looks back beyond what is written at once.</summary>
    private static readonly BrotliCompressionOptions BrotliOptions = new() { Quality = 3 };

    /// <summary>
    /// Begins to write the answer's body in the coding that the caller likes best. Those of one quality count as Brotli first, which makes
    /// a page of transactions less than half of what gzip makes of it.
    /// </summary>
    /// <returns>Where to write it, to be disposed at its end; null when it is to be written as it is.</returns>
    public static Stream? Begin(HttpContext context) => Announce(context) is { } coding ? Compressor(context.Response.Body, coding) : null;

    /// <summary>Chooses the coding that the caller likes best, null for none, and says so in the answer's headers.</summary>
    public static string? Announce(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.Vary = HeaderNames.AcceptEncoding;
        if (Choose(context.Request.GetTypedHeaders().AcceptEncoding) is not { } coding)
            return null;
        headers.ContentEncoding = coding;
        return coding;
    }

    /// <summary>A body in a coding.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> body, string coding)
    {
        using var encoded = new MemoryStream();
        using (var compressor = Compressor(encoded, coding))
            compressor.Write(body);
        return encoded.ToArray();
    }

    private static Stream Compressor(Stream inner, string coding) => coding == Brotli
        ? new BrotliStream(inner, BrotliOptions, leaveOpen: true)
        : new GZipStream(inner, CompressionLevel.Fastest, leaveOpen: true);

    private static string? Choose(IList<StringWithQualityHeaderValue> accepted)
    {
        var (brotli, gzip) = (QualityOf(accepted, Brotli), QualityOf(accepted, Gzip));
        var identity = accepted.Any(coding => coding.Value.Equals("identity", StringComparison.OrdinalIgnoreCase)) ? QualityOf(accepted, "identity") : 0;
        return Math.Max(brotli, gzip) is var best && (best == 0 || identity > best) ? null : brotli == best ? Brotli : Gzip;
    }

    private static double QualityOf(IList<StringWithQualityHeaderValue> accepted, string coding) =>
        (accepted.FirstOrDefault(a => a.Value.Equals(coding, StringComparison.OrdinalIgnoreCase)) ?? accepted.FirstOrDefault(a => a.Value == "*")) is { } found
            ? found.Quality ?? 1
            : 0;
}

/// <summary>
/// Passes bytes on and no order to flush: a compressor that is flushed every few kilobytes forgets what it could have compressed by. What it
/// holds goes out when the inner stream is disposed.
/// </summary>
internal sealed class UnflushedStream(Stream inner) : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);
}
