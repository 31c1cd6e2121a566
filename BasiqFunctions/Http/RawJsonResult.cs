using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Http;

/// <summary>200 with JSON that is written straight into the response, stored values byte for byte.</summary>
internal abstract record RawJsonResult : IResult, IStatusCodeHttpResult, IContentTypeHttpResult
{
    private const int FlushEvery = 64 * 1024;

    public string ContentType => "application/json; charset=utf-8";

    public int? StatusCode => StatusCodes.Status200OK;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = ContentType;
        httpContext.Protect();
        await using var writer = new Utf8JsonWriter(response.BodyWriter);
        await WriteAsync(writer, httpContext.RequestAborted);
        await writer.FlushAsync(httpContext.RequestAborted);
    }

    /// <summary>Writes the whole value.</summary>
    protected abstract Task WriteAsync(Utf8JsonWriter writer, CancellationToken cancellationToken);

    /// <summary>Writes a value that is known to be well-formed JSON, and lets go of what has piled up.</summary>
    protected static async ValueTask WriteRawAsync(Utf8JsonWriter writer, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        writer.WriteRawValue(json.Span, skipInputValidation: true);
        if (writer.BytesPending >= FlushEvery)
            await writer.FlushAsync(cancellationToken);
    }
}
