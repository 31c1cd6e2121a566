using System.Globalization;
using System.Net.Mime;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Consents;

/// <summary>What keeps ConsentReturn from a sync as a page, for the person who was sent there by the consent page.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">The code of the problem, or that no bank was connected.</param>
/// <param name="WayBack">Where the person came from, when that is known for sure.</param>
/// <param name="OtherWay">Where to send the person when it is not; null when there is no such place.</param>
internal sealed record ConsentErrorPage(int Status, string Code, Uri? WayBack, Uri? OtherWay) : IResult, IStatusCodeHttpResult
{
    /// <summary>Nothing has kept the person from anything: no bank was to be connected.</summary>
    internal const string Done = "done";

    private const string Style = """
        :root { color-scheme: light dark; --paper: #f5f7f8; --card: #fff; --line: #dce2e6; --ink: #16212b; --soft: #54626e; --accent: #0b6a5d; --on-accent: #fff; }
        @media (prefers-color-scheme: dark) {
          :root { --paper: #0f151a; --card: #172027; --line: #2c3a44; --ink: #e7edf1; --soft: #a3b3be; --accent: #5fcbb6; --on-accent: #05231e; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; padding: 1rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
        main { max-width: 34rem; margin: 8vh auto 0; padding: 1.5rem 1.75rem 1.75rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
        h1 { margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.3; }
        p { margin: 0 0 1rem; }
        .ways { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0; }
        a { display: inline-block; padding: .6rem 1.1rem; border: 1px solid var(--accent); border-radius: .5rem; color: var(--accent); font-weight: 600; text-decoration: none; overflow-wrap: anywhere; }
        a:first-child { background: var(--accent); color: var(--on-accent); }
        a:hover { text-decoration: underline; }
        a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        .code { margin: 0; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
        """;

    /// <summary>Nothing is loaded, run or sent; the one style sheet is named by its digest.</summary>
    private static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style.ReplaceLineEndings("\n"))))}'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Basiq's id of the failure, for its support.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>When to try again, header <c>Retry-After</c> in whole seconds, rounded up.</summary>
    public TimeSpan? RetryAfter { get; init; }

    int? IStatusCodeHttpResult.StatusCode => Status;

    /// <summary>Whether a request is a person's, by what it accepts: browsers ask for pages, programs for JSON or for anything.</summary>
    public static bool IsFor(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().Accept;
        var html = QualityOf(accepted, MediaTypeNames.Text.Html);
        return html > 0 && html >= QualityOf(accepted, MediaTypeNames.Application.Json);
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = "text/html; charset=utf-8";
        httpContext.Protect();
        response.Headers.ContentSecurityPolicy = Policy;
        if (RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await response.WriteAsync(Page(), Encoding.UTF8, httpContext.RequestAborted);
    }

    private static double QualityOf(IList<MediaTypeHeaderValue> accepted, string mediaType) =>
        accepted.Where(range => range.MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase)).Select(range => range.Quality ?? 1).DefaultIfEmpty().Max();

    private string Page()
    {
        var (title, text, isWorthTryingAgain) = Words();
        List<string> ways = [];
        if (isWorthTryingAgain)
            ways.Add("""<a href="">Try again</a>""");
        if (WayBack is not null)
            ways.Add($"""<a href="{Html(WayBack.AbsoluteUri)}">Go back to {Html(WayBack.Host)}</a>""");
        else if (OtherWay is not null)
            ways.Add($"""<a href="{Html(OtherWay.AbsoluteUri)}">Go to {Html(OtherWay.Host)}</a>""");
        if (WayBack is null && Code is not Done)
            text += " Return to the app you came from and start again there.";
        var reference = CorrelationId is { } id ? $"{Code}, {id}" : Code;
        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Html(title)}</title>
            <style>{Style}</style>
            </head>
            <body>
            <main>
            <h1>{Html(title)}</h1>
            <p>{Html(text)}</p>
            {(ways.Count > 0 ? $"""<p class="ways">{string.Concat(ways)}</p>""" : "")}
            {(Code is Done ? "" : $"""<p class="code">If you ask for help, mention: {Html(reference)}</p>""")}
            </main>
            </body>
            </html>

            """.ReplaceLineEndings("\n");
    }

    /// <summary>What happened and what it means for the person, and whether the same address may work in a while.</summary>
    private (string Title, string Text, bool IsWorthTryingAgain) Words() => Code switch
    {
        ProblemCodes.InvalidState => (
            "This link no longer works",
            "The link that brought you here has expired, or it is incomplete or was made for something else. Your bank accounts were not read.",
            false),
        Done => ("Done", "You can close this page, or return to the app you came from.", false),
        NoBankConnected.Code or ProblemCodes.InvalidInput => (
            "No bank was connected",
            "You came back without a bank that we can read. Perhaps you left before the last step.",
            false),
        ProblemCodes.UserNotFound or ProblemCodes.JobNotFound => (
            "We could not find your connection",
            "The connection that you just made is not known. It may have been removed in the meantime.",
            false),
        _ when Status is StatusCodes.Status429TooManyRequests => (
            "We are busy right now",
            "Too many people are connecting a bank at the moment. Wait a minute, then try again. You need not log in at your bank again.",
            true),
        _ when Status is StatusCodes.Status503ServiceUnavailable or StatusCodes.Status504GatewayTimeout => (
            "We cannot finish this right now",
            "A service that we need does not answer. Wait a minute, then try again. You need not log in at your bank again.",
            true),
        _ => (
            "Something went wrong on our side",
            "It is not your fault, and trying again may not help. Please tell the people who run the app you came from.",
            true),
    };

    private static string Html(string text) => HtmlEncoder.Default.Encode(text);
}
