using System.IO.Compression;
using System.Security.Cryptography;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>A file of the console, with its compressed form, made when first asked for and kept.</summary>
internal sealed class ConsoleAsset(string contentType, byte[] content)
{
    private readonly Lazy<byte[]> _brotli = new(() => Compress(content));

    /// <summary>A strong entity tag of the plain form.</summary>
    public string EntityTag { get; } = $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8))}\"";

    public ReadOnlySpan<byte> Content => content;

    /// <summary>Answers with the file, or with 304 when the caller has it.</summary>
    public async Task WriteAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var isBrotli = Accepts(request, "br");

        // Two forms under one address: each has a tag of its own (RFC 9110, section 8.8.3).
        var tag = isBrotli ? $"{EntityTag[..^1]}-br\"" : EntityTag;
        response.Headers.ETag = tag;
        response.Headers.Vary = "Accept-Encoding";
        if (request.Headers.IfNoneMatch.ToString().Split(',', StringSplitOptions.TrimEntries).Contains(tag, StringComparer.Ordinal))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var body = isBrotli ? _brotli.Value : content;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        if (isBrotli)
            response.Headers.ContentEncoding = "br";
        if (!HttpMethods.IsHead(request.Method))
            await response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static bool Accepts(HttpRequest request, string coding) =>
        request.GetTypedHeaders().AcceptEncoding.Any(accepted => accepted.Value == coding && accepted.Quality is not 0);

    private static byte[] Compress(byte[] content)
    {
        using var buffer = new MemoryStream();
        using (var brotli = new BrotliStream(buffer, CompressionLevel.Optimal))
            brotli.Write(content);
        return buffer.ToArray();
    }
}
