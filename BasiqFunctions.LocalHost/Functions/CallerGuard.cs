using System.Net;
using BasiqFunctions.Platform.Http;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.LocalHost.Functions;

/// <summary>
/// Who may use this host: those who bring the function key, where one is set, and no page that somebody else wrote. Pages run on the
/// developer's own machine, so loopback keeps none of them out.
/// </summary>
internal sealed class CallerGuard(LocalHostOptions options)
{
    /// <summary>What is wrong with a request for what is of this level; null when it may go on.</summary>
    public ProblemResult? Refuse(HttpRequest request, AuthorizationLevel level)
    {
        if (!IsSameOrigin(request))
            return Forbidden("A page of another origin asked this. Only this host's own pages, and programs that are no browser, may.");

        // Without a key the host listens on loopback only. A page whose name was pointed at this machine (DNS rebinding) is of the
        // same origin as far as its browser can tell, and gives itself away by that name.
        if (options.FunctionKey is null && request.Host.HasValue && !IsLoopback(request.Host.Host))
            return Forbidden("Without LocalHost:FunctionKey this host answers to localhost and loopback addresses only; with one, to any name.");
        return KeysFor(level) is { } keys && !keys.Any(key => FunctionKey.IsIn(request, key))
            ? Problem.Of(StatusCodes.Status401Unauthorized, "unauthorized", level is not AuthorizationLevel.Admin
                ? "Bring the function key."
                : options.AdminKey is null ? "It takes the admin key, and LocalHost:AdminKey is not set." : "Bring the admin key.")
            : null;
    }

    /// <summary>
    /// The keys that open a level, as in Azure: the admin key opens all, a function key those of its level. Null for what is open, as
    /// all is while no key is set.
    /// </summary>
    private string[]? KeysFor(AuthorizationLevel level) =>
        level switch
        {
            AuthorizationLevel.Anonymous => null,
            AuthorizationLevel.Admin when options.AdminKey is { } adminKey => [adminKey],
            AuthorizationLevel.Admin => options.FunctionKey is null ? null : [],
            _ when options.FunctionKey is { } functionKey => options.AdminKey is { } adminKey ? [functionKey, adminKey] : [functionKey],
            _ => null,
        };

    /// <summary>
    /// Browsers say where a request comes from; what is no browser says nothing, and nobody misuses it. The scheme is not compared:
    /// where something in front of this host ends TLS, only the browser knows of it.
    /// </summary>
    private static bool IsSameOrigin(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } sites && sites is not ["same-origin" or "none"])
            return false;
        return request.Headers.Origin is not { Count: > 0 } origins
            || (origins is [{ } origin] && (IsOf(origin, "http") || IsOf(origin, "https")));

        bool IsOf(string origin, string scheme) => string.Equals(origin, $"{scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsLoopback(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static ProblemResult Forbidden(string detail) => Problem.Of(StatusCodes.Status403Forbidden, "forbidden", detail);
}
