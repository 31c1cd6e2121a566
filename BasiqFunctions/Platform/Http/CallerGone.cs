using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Platform.Http;

/// <summary>
/// For a caller that hung up: nobody reads it, but a host wants an answer. The status is the one that proxies use for this, and
/// nothing is logged.
/// </summary>
internal sealed record CallerGone : IResult, IStatusCodeHttpResult
{
    private const int ClientClosedRequest = 499;

    int? IStatusCodeHttpResult.StatusCode => ClientClosedRequest;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = ClientClosedRequest;
        return Task.CompletedTask;
    }
}
