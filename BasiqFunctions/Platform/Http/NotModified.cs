using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Platform.Http;

/// <summary>304: the caller has the answer.</summary>
internal sealed record NotModified(EntityTagHeaderValue Tag) : IResult, IStatusCodeHttpResult
{
    public int? StatusCode => StatusCodes.Status304NotModified;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = StatusCodes.Status304NotModified;
        httpContext.Protect();
        response.Headers.ETag = Tag.ToString();
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        return Task.CompletedTask;
    }
}
