using System.Diagnostics;

namespace BasiqFunctions.LocalHost.Functions;

/// <summary>Maps the HTTP functions as endpoints below <c>/api</c>, the prefix that Functions hosts use.</summary>
internal static class HttpFunctionEndpoints
{
    /// <summary>
    /// What proves itself, by a signature or by a state that this app has signed, and comes from anywhere: from Basiq, be it through a
    /// tunnel of whatever name, and from a browser that the consent page sends on.
    /// </summary>
    private static readonly string[] OpenToAll = ["ReceiveWebhook", "ConsentReturn"];

    public static void MapFunctions(this IEndpointRouteBuilder endpoints, CallerGuard guard)
    {
        foreach (var function in endpoints.ServiceProvider.GetRequiredService<FunctionCatalog>().Http)
        {
            RequestDelegate run = OpenToAll.Contains(function.Name)
                ? new RequestDelegate(function.Run)
                : context => guard.Refuse(context.Request, function.AuthLevel) is { } refusal ? refusal.ExecuteAsync(context) : function.Run(context);
            endpoints.MapMethods($"/api/{function.Route}", function.Methods, Traced($"/api/{function.Route}", run))
                .WithDisplayName(function.Name);
        }
    }

    /// <summary>Names the web server's span by the route: the path and the query are as the caller wrote them, and stay out of it.</summary>
    private static RequestDelegate Traced(string route, RequestDelegate run) => context =>
        Activity.Current is { IsAllDataRequested: true, Kind: ActivityKind.Server } span ? TraceAsync(span, route, run, context) : run(context);

    private static async Task TraceAsync(Activity span, string route, RequestDelegate run, HttpContext context)
    {
        span.DisplayName = $"{context.Request.Method} {route}";
        span.SetTag("http.request.method", context.Request.Method).SetTag("http.route", route);
        await run(context);
        span.SetTag("http.response.status_code", context.Response.StatusCode);
    }
}
