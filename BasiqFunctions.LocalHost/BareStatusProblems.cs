using BasiqFunctions.LocalHost.Console;
using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace BasiqFunctions.LocalHost;

/// <summary>
/// Gives a body to the answers that come from the host and not from a function: no such route, wrong verb, no key. Browsers get a page
/// where they asked for one.
/// </summary>
internal static class BareStatusProblems
{
    public static void UseBareStatusProblems(this WebApplication app)
    {
        var console = app.Services.GetRequiredService<ConsoleEndpoints>();
        app.UseStatusCodePages(context =>
        {
            var request = context.HttpContext.Request;
            var status = context.HttpContext.Response.StatusCode;
            if (status == StatusCodes.Status404NotFound && IsForPage(request))
                return console.WriteMissingAsync(context.HttpContext);
            var reason = ReasonPhrases.GetReasonPhrase(status);
            return Problem.Of(status, reason.ToLowerInvariant().Replace(' ', '-'), $"{reason}.").ExecuteAsync(context.HttpContext);
        });
    }

    /// <summary>Whether a browser asks for a page of the console: the API's addresses answer with problems to everybody.</summary>
    private static bool IsForPage(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        && !request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
        && request.GetTypedHeaders().Accept.Any(accepted => accepted.MediaType == "text/html" && accepted.Quality is not 0);
}
