using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Platform.Http;

/// <summary>
/// 200 with JSON that is written straight into the response, stored values byte for byte; compressed for callers that accept it. No cache
/// keeps it: a tag is for the caller's own copy.
/// </summary>
internal abstract record RawJsonResult : IResult, IStatusCodeHttpResult, IContentTypeHttpResult
{
    private const int FlushEvery = 64 * 1024;

    /// <summary>What tells it from other answers to the same request; null where it has none.</summary>
    public EntityTagHeaderValue? Tag { get; init; }

    public string ContentType => "application/json; charset=utf-8";

    public int? StatusCode => StatusCodes.Status200OK;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = ContentType;
        httpContext.Protect();
        if (Tag is not null)
            response.Headers.ETag = Tag.ToString();
        await using var compressed = ContentCoding.Begin(httpContext);
        await using var writer = compressed is null ? new Utf8JsonWriter(response.BodyWriter) : new Utf8JsonWriter(new UnflushedStream(compressed));
        await WriteAsync(writer, httpContext.RequestAborted);
        await writer.FlushAsync(httpContext.RequestAborted);
    }

    /// <summary>Writes the whole value.</summary>
    protected abstract Task WriteAsync(Utf8JsonWriter writer, CancellationToken cancellationToken);

    /// <summary>Writes a value that is known to be well-formed JSON, and lets go of what has piled up.</summary>
    protected static ValueTask WriteRawAsync(Utf8JsonWriter writer, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        writer.WriteRawValue(json.Span, skipInputValidation: true);
        return writer.BytesPending >= FlushEvery ? new ValueTask(writer.FlushAsync(cancellationToken)) : default;
    }
}
