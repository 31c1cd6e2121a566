namespace BasiqFunctions.Sandbox;

/// <summary>
/// Maps the API's routes, each with its counter, and puts in front of a handler what the route demands: a SERVER_ACCESS
/// token, an Accept header that takes JSON, a user that exists.
/// </summary>
internal sealed class ApiRoutes(IEndpointRouteBuilder endpoints, Tokens tokens, SandboxState state, Stats stats)
{
    public delegate Task UserHandler(HttpContext context, UserState user);

    public void Open(string method, string template, RequestDelegate handler)
    {
        endpoints.MapMethods(template, [method], handler).WithMetadata(stats.CounterOf($"{method} {template}"));
    }

    public void Server(string method, string template, RequestDelegate handler) =>
        Open(method, template, context => Refusal(context) ?? handler(context));

    /// <summary>The template holds <c>{userId}</c>.</summary>
    public void OfUser(string method, string template, UserHandler handler)
    {
        Server(method, template, context =>
        {
            var user = state.User((string)context.Request.RouteValues["userId"]!);
            return user is null ? Answers.NotFound(context) : handler(context, user);
        });
    }

    /// <summary>The living token that a request brings; null without one.</summary>
    public static Token? TokenOf(HttpContext context, Tokens tokens)
    {
        const string Scheme = "Bearer ";
        return context.Request.Headers.Authorization is [{ } value] && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? tokens.Read(value.AsSpan(Scheme.Length).Trim())
            : null;
    }

    private Task? Refusal(HttpContext context)
    {
        if (context.Request.Headers.Authorization.Count == 0)
            return Answers.Unauthorized(context, "unauthorized-access", "You are not authorized to access this resource.");
        if (TokenOf(context, tokens) is not { } token)
            return Answers.Unauthorized(context, "invalid-authorization-token", "The token is not valid or has expired.");
        if (token.Scope != TokenScope.Server)
            return Answers.Forbidden(context, "Access to this resource is forbidden with the scope CLIENT_ACCESS.");
        return TakesJson(context.Request.Headers.Accept)
            ? null
            : Answers.Error(
                context,
                400,
                new ApiError("unsupported-accept", "Unsupported accept.", "Accept must allow application/json.", "Accept"));
    }

    private static bool TakesJson(Microsoft.Extensions.Primitives.StringValues accept)
    {
        if (accept.Count == 0 || accept is ["application/json"])
            return true;
        var value = accept.ToString();
        return value.Contains("application/json", StringComparison.OrdinalIgnoreCase)
            || value.Contains("application/*", StringComparison.OrdinalIgnoreCase)
            || value.Contains("*/*", StringComparison.Ordinal);
    }
}
