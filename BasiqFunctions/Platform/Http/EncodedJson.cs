using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Platform.Http;

/// <summary>JSON that many callers are given: in each content coding it is made once.</summary>
internal sealed class EncodedJson(byte[] json)
{
    private readonly Lazy<byte[]> _brotli = new(() => ContentCoding.Encode(json, ContentCoding.Brotli));
    private readonly Lazy<byte[]> _gzip = new(() => ContentCoding.Encode(json, ContentCoding.Gzip));

    /// <summary>It in a coding; as it is without.</summary>
    public ReadOnlyMemory<byte> In(string? coding) => coding switch
    {
        ContentCoding.Brotli => _brotli.Value,
        ContentCoding.Gzip => _gzip.Value,
        _ => json,
    };
}

/// <summary>200 with JSON that is there in whole.</summary>
/// <param name="Json">The JSON.</param>
/// <param name="Tag">What tells it from other answers to the same request.</param>
internal sealed record EncodedJsonResult(EncodedJson Json, EntityTagHeaderValue Tag) : IResult, IStatusCodeHttpResult, IContentTypeHttpResult
{
    public string ContentType => "application/json; charset=utf-8";

    public int? StatusCode => StatusCodes.Status200OK;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = ContentType;
        httpContext.Protect();
        response.Headers.ETag = Tag.ToString();
        var body = Json.In(ContentCoding.Announce(httpContext));
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, httpContext.RequestAborted).AsTask();
    }
}
