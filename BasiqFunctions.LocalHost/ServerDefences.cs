using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace BasiqFunctions.LocalHost;

/// <summary>What in Azure the front end does against callers who keep connections busy, and the headers of the host's own answers.</summary>
internal static class ServerDefences
{
    /// <summary>
    /// Headers must come in 10 seconds; then, after 5 seconds' grace, bodies at 240 bytes a second. Answers must be taken at 256 KiB a
    /// second once they wait for it. (The server counts from the first byte, and what the system buffers, some MiB a connection, as
    /// taken: at a modest rate a caller that reads nothing would be kept for hours.)
    /// </summary>
    public static void SetLimits(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
        kestrel.Limits.MinResponseDataRate = new MinDataRate(256 * 1024, TimeSpan.FromSeconds(5));
    }

    /// <summary>Gives the answers that come from no function the headers that functions give theirs.</summary>
    public static void UseProtectiveHeaders(this WebApplication app) =>
        app.Use((context, next) =>
        {
            context.Protect();
            return next(context);
        });
}
