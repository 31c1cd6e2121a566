using System.Text.Json;
using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>An answer as it went out, to be given again.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="ContentType">Header <c>Content-Type</c>.</param>
/// <param name="Location">Header <c>Location</c>.</param>
/// <param name="RetryAfter">Header <c>Retry-After</c>.</param>
/// <param name="Body">The body's bytes.</param>
internal sealed record StoredAnswer(int Status, string? ContentType, string? Location, string? RetryAfter, byte[] Body)
    : IResult, IStatusCodeHttpResult
{
    int? IStatusCodeHttpResult.StatusCode => Status;

    /// <summary>
    /// Whether the same request would be answered in the same way again: it was carried out, or refused for what it is. Overload,
    /// conflicts and failures pass.
    /// </summary>
    public bool IsFinal => Status is (>= 200 and < 300)
        or (>= 400 and < 500 and not StatusCodes.Status408RequestTimeout and not StatusCodes.Status409Conflict
            and not StatusCodes.Status429TooManyRequests);

    /// <summary>Runs a result to have its bytes.</summary>
    public static async Task<StoredAnswer> OfAsync(IResult result)
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));
        await result.ExecuteAsync(context);
        await context.Response.CompleteAsync();
        var headers = context.Response.Headers;
        return new StoredAnswer(
            context.Response.StatusCode, context.Response.ContentType, Text(headers.Location), Text(headers.RetryAfter), body.ToArray());

        static string? Text(string? value) => string.IsNullOrEmpty(value) ? null : value;
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote; null when it is something else.</summary>
    public static StoredAnswer? FromBytes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, AppJson.Of<StoredAnswer>());
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The answer as a store keeps it.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, AppJson.Of<StoredAnswer>());

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = ContentType;
        httpContext.Protect();
        if (Location is not null)
            response.Headers.Location = Location;
        if (RetryAfter is not null)
            response.Headers.RetryAfter = RetryAfter;
        await response.Body.WriteAsync(Body, httpContext.RequestAborted);
    }

    /// <summary>The status alone: the rest may be personal data.</summary>
    public override string ToString() => $"{nameof(StoredAnswer)} {Status}";
}
