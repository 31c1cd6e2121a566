using System.Diagnostics;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.LocalHost.Functions;

/// <summary>Maps the HTTP functions as endpoints below <c>/api</c>, the prefix that Functions hosts use.</summary>
internal static class HttpFunctionEndpoints
{
    public static void MapFunctions(this IEndpointRouteBuilder endpoints, LocalHostOptions options)
    {
        foreach (var function in endpoints.ServiceProvider.GetRequiredService<FunctionCatalog>().Http)
        {
            RequestDelegate run = KeysFor(function.AuthLevel, options) is { } keys
                ? context => keys.Any(key => FunctionKey.IsIn(context.Request, key)) ? function.Run(context) : RefuseAsync(context)
                : new RequestDelegate(function.Run);
            endpoints.MapMethods($"/api/{function.Route}", function.Methods, Traced($"/api/{function.Route}", run))
                .WithDisplayName(function.Name);
        }
    }

    /// <summary>
    /// The keys that open a function, as in Azure: the admin key opens all, a function key those of its level. Null for one that is open,
    /// as all are while no key is set.
    /// </summary>
    private static string[]? KeysFor(AuthorizationLevel level, LocalHostOptions options) =>
        level switch
        {
            AuthorizationLevel.Anonymous => null,
            AuthorizationLevel.Admin when options.AdminKey is { } adminKey => [adminKey],
            AuthorizationLevel.Admin => options.FunctionKey is null ? null : [],
            _ when options.FunctionKey is { } functionKey => options.AdminKey is { } adminKey ? [functionKey, adminKey] : [functionKey],
            _ => null,
        };

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
