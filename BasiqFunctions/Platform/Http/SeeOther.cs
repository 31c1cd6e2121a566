using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Platform.Http;

/// <summary>303: the browser goes on to another page, by GET.</summary>
/// <param name="Location">An absolute URL that has been checked.</param>
internal sealed record SeeOther(string Location) : IResult, IStatusCodeHttpResult
{
    int? IStatusCodeHttpResult.StatusCode => StatusCodes.Status303SeeOther;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Protect();
        httpContext.Response.Headers.Location = Location;
        return Task.CompletedTask;
    }
}
