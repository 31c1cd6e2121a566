using BasiqFunctions.Sandbox.Auth;
using BasiqFunctions.Sandbox.Control;
using Microsoft.Extensions.Primitives;

namespace BasiqFunctions.Sandbox.Platform;

/// <summary>
/// Maps the API's routes, each with its counter, and puts in front of a handler what the route demands: a token that lives and
/// whose scope suffices, an Accept header that takes JSON, a user or job of the token's application.
/// </summary>
internal sealed class ApiRoutes(IEndpointRouteBuilder endpoints, Tokens tokens, SandboxState state, LiveOptions options, Stats stats)
{
    public delegate Task ServerHandler(HttpContext context, BasiqApplication application);

    public delegate Task UserHandler(HttpContext context, UserState user);

    public delegate Task JobHandler(HttpContext context, JobRecord job);

    /// <summary>Whoever asks. A GET is a HEAD as well.</summary>
    public void Open(string method, string template, RequestDelegate handler)
    {
        endpoints.MapMethods(template, method == "GET" ? ["GET", "HEAD"] : [method], handler)
            .WithMetadata(stats.CounterOf($"{method} {template}"));
    }

    /// <summary>With a SERVER_ACCESS token.</summary>
    public void Server(string method, string template, ServerHandler handler)
    {
        Open(method, template, context => TokenOf(context, out var refusal) switch
        {
            null => refusal!,
            { Scope: TokenScope.Server } token => handler(context, token.Application),
            _ => Answers.WrongScope(context),
        });
    }

    /// <summary>The template holds <c>{userId}</c>.</summary>
    public void OfUser(string method, string template, UserHandler handler)
    {
        Server(method, template, (context, application) =>
            state.User((string)context.Request.RouteValues["userId"]!) is { } user && user.Record.Application == application
                ? handler(context, user)
                : Answers.NotFound(context));
    }

    /// <summary>
    /// The template holds <c>{jobId}</c>. A consent page in a browser asks for it, from another origin: a CLIENT_ACCESS token opens it for
    /// the jobs of its own user.
    /// </summary>
    public void OfJob(string method, string template, JobHandler handler)
    {
        Open("OPTIONS", template, context =>
        {
            AllowAnyOrigin(context);
            var headers = context.Response.Headers;
            headers.AccessControlAllowMethods = method == "GET" ? "GET, HEAD" : method;
            headers.AccessControlAllowHeaders = "Authorization, Content-Type, Accept, basiq-version";
            headers.AccessControlMaxAge = "600";
            return Answers.NoContent(context);
        });
        Open(method, template, context =>
        {
            AllowAnyOrigin(context);
            if (TokenOf(context, out var refusal) is not { } token)
                return refusal!;
            var job = state.Job((string)context.Request.RouteValues["jobId"]!);
            return job is not null
                && state.User(job.UserId)?.Record.Application == token.Application
                && (token.Scope == TokenScope.Server || token.UserId == job.UserId)
                    ? handler(context, job)
                    : Answers.NotFound(context);
        });
    }

    public static Task RefuseAsExpired(HttpContext context) =>
        Answers.Forbidden(context, "access-denied", "Access denied", "Token has expired");

    // No cookie opens anything here: the token in the header is all there is to protect.
    private static void AllowAnyOrigin(HttpContext context) => context.Response.Headers.AccessControlAllowOrigin = "*";

    /// <summary>The living token that a request brings; else the answer to it.</summary>
    private Token? TokenOf(HttpContext context, out Task? refusal)
    {
        const string Scheme = "Bearer ";
        var header = context.Request.Headers.Authorization;
        var hasExpired = false;
        var token = header is [{ } value] && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? tokens.Read(value.AsSpan(Scheme.Length).Trim(), out hasExpired)
            : null;
        refusal = (token, header.Count) switch
        {
            (not null, _) => TakesJson(context.Request.Headers.Accept) || (WantsPdf(context) && context.Request.Path.StartsWithSegments("/reports"))
                ? null
                : Answers.Error(
                    context,
                    400,
                    new ApiError("unsupported-accept", "Unsupported accept.", "Accept must allow application/json.", "Accept")),
            (_, 0) => Answers.Unauthorized(context, "unauthorized-access", "You are not authorized to access this resource"),
            _ when hasExpired && options.Current.ExpiredTokenStatus == 403 =>
                RefuseAsExpired(context),
            _ => Answers.Unauthorized(
                context, "invalid-authorization-token", hasExpired ? "Token has expired" : "The token is not valid."),
        };
        return refusal is null ? token : null;
    }

    /// <summary>Whether the caller wants a PDF; only reports have one.</summary>
    public static bool WantsPdf(HttpContext context) =>
        context.Request.Headers.Accept.ToString().Contains("application/pdf", StringComparison.OrdinalIgnoreCase);

    private static bool TakesJson(StringValues accept)
    {
        if (accept.Count == 0 || accept is ["application/json"])
            return true;
        var value = accept.ToString();
        return value.Contains("application/json", StringComparison.OrdinalIgnoreCase)
            || value.Contains("application/*", StringComparison.OrdinalIgnoreCase)
            || value.Contains("*/*", StringComparison.Ordinal);
    }
}
