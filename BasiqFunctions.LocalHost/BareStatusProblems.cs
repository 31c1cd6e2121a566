using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace BasiqFunctions.LocalHost;

/// <summary>Gives a body to the answers that come from the host and not from a function: no such route, wrong verb, no key.</summary>
internal static class BareStatusProblems
{
    public static void UseBareStatusProblems(this WebApplication app) =>
        app.UseStatusCodePages(context =>
        {
            var status = context.HttpContext.Response.StatusCode;
            var reason = ReasonPhrases.GetReasonPhrase(status);
            return Problem.Of(status, reason.ToLowerInvariant().Replace(' ', '-'), $"{reason}.").ExecuteAsync(context.HttpContext);
        });
}
