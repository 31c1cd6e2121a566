using System.Net;
using BasiqFunctions.Http;
using BasiqFunctions.LocalHost.Functions;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>
/// Who may ask the console's own endpoints: those who bring the function key, where one is set, and no page of another origin.
/// </summary>
internal static class ConsoleGuard
{
    /// <summary>What is wrong with a request; null when it may go on.</summary>
    public static ProblemResult? Refuse(HttpRequest request, string? functionKey)
    {
        if (!IsSameOrigin(request))
            return Problem.Of(StatusCodes.Status403Forbidden, "forbidden", "Only the console itself may ask this.");
        if (functionKey is not null)
        {
            return FunctionKey.IsIn(request, functionKey)
                ? null
                : Problem.Of(StatusCodes.Status401Unauthorized, "unauthorized", "Bring the function key.");
        }

        // Without a key the host listens on loopback only. A page whose name was pointed at this machine (DNS rebinding) is of the
        // same origin as far as its browser can tell, and gives itself away by that name.
        return IsLoopback(request.Host.Host)
            ? null
            : Problem.Of(StatusCodes.Status403Forbidden, "forbidden", "Ask by localhost or a loopback address.");
    }

    /// <summary>Browsers say where a request comes from; what is no browser says nothing, and nobody misuses it.</summary>
    private static bool IsSameOrigin(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"] is [{ } site] && site is not ("same-origin" or "none"))
            return false;
        return request.Headers.Origin.Count == 0
            || string.Equals(request.Headers.Origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsLoopback(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
