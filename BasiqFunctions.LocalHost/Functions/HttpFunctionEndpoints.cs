using System.Diagnostics;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.LocalHost.Functions;

/// <summary>Maps the HTTP functions as endpoints below <c>/api</c>, the prefix that Functions hosts use.</summary>
internal static class HttpFunctionEndpoints
{
    public static void MapFunctions(this IEndpointRouteBuilder endpoints, string? functionKey)
    {
        foreach (var function in endpoints.ServiceProvider.GetRequiredService<FunctionCatalog>().Http)
        {
            RequestDelegate run = function.AuthLevel is not AuthorizationLevel.Anonymous && functionKey is not null
                ? context => FunctionKey.IsIn(context.Request, functionKey) ? function.Run(context) : RefuseAsync(context)
                : new RequestDelegate(function.Run);
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

    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        return Task.CompletedTask;
    }
}
