using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Platform.Http;

/// <summary>The headers that every answer has, good or bad.</summary>
internal static class ResponseHeaders
{
    private const string NoStore = "no-store";

    /// <summary>
    /// No cache keeps the answer, no browser guesses another type for it, shows it in a frame or lets it load anything, and no
    /// page that comes after learns its address, in which a state may stand. Nothing is said to other origins: no answer of this
    /// app is theirs to read.
    /// </summary>
    public static void Protect(this HttpContext context)
    {
        var headers = context.Response.Headers;

        // A host may have done so already, for its own answers.
        if (ReferenceEquals((string?)headers.CacheControl, NoStore) && headers.ContentSecurityPolicy.Count > 0)
            return;
        headers.CacheControl = NoStore;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        if (CameOverHttps(context.Request))
            headers.StrictTransportSecurity = "max-age=31536000";
    }

    /// <summary>
    /// In Azure TLS ends before the app, and the front end says so in a header. Anybody may forge it, in vain: browsers heed the
    /// answer's header only when it comes over TLS (RFC 6797, section 8.1).
    /// </summary>
    private static bool CameOverHttps(HttpRequest request) =>
        request.IsHttps || string.Equals(request.Headers["X-Forwarded-Proto"], "https", StringComparison.OrdinalIgnoreCase);
}
