using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Platform;
using Microsoft.Extensions.Primitives;

namespace BasiqFunctions.Sandbox.Auth;

/// <summary>
/// <c>POST /token</c>. A key that is not accepted is <em>not found</em>, too many requests and a disabled account are forbidden, and
/// anything else that is wrong with a request is a bad request: there is no 401.
/// </summary>
internal sealed class TokenEndpoint(Tokens tokens, SandboxState state, LiveOptions options, TimeProvider clock, Stats stats)
{
    private static readonly TimeSpan LimitSpans = TimeSpan.FromMinutes(5);

    private readonly Stats.Counter _server = stats.CounterOf("POST /token SERVER_ACCESS");
    private readonly Stats.Counter _client = stats.CounterOf("POST /token CLIENT_ACCESS");
    private readonly Lock _gate = new();
    private readonly Queue<DateTimeOffset> _lately = [];

    public void Map(ApiRoutes routes) => routes.Open("POST", "/token", Create);

    /// <summary>The key is not accepted.</summary>
    public static Task Refuse(HttpContext context) => Answers.Error(
        context,
        404,
        new ApiError("resource-not-found", "Requested resource is not found.", "Unable to authenticate. Please, check your API key"));

    /// <summary>More requests than Basiq allows.</summary>
    public static Task RefuseAsTooMany(HttpContext context) =>
        Answers.Forbidden(context, "forbidden-access", "Invalid request", "Forbidden");

    private async Task Create(HttpContext context)
    {
        if (Application(context) is not { } application)
        {
            await (context.Request.Headers.Authorization.Count == 0
                ? Answers.MissingParameter(context, "Authorization", "The header Authorization is required.")
                : Refuse(context));
            return;
        }

        if (options.Current.DisabledAccount)
            await Answers.Forbidden(context, "access-denied", "Access denied", "The account is disabled.");
        else if (IsTooMany())
            await RefuseAsTooMany(context);
        else if (HeaderRefusal(context) is { } refusal)
            await refusal;
        else
            await Grant(context, application);
    }

    private async Task Grant(HttpContext context, BasiqApplication application)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        string? scope = form["scope"];
        switch (scope)
        {
            case "SERVER_ACCESS":
                _server.Increment();
                await Write(context, tokens.Mint(TokenScope.Server, application));
                break;
            case "CLIENT_ACCESS":
                _client.Increment();
                string? userId = form["userId"];
                if (string.IsNullOrEmpty(userId))
                    await Answers.MissingParameter(context, "userId", "CLIENT_ACCESS needs the userId that the token is bound to.");
                else if (state.User(userId) is not { } user || user.Record.Application != application)
                    await Answers.NotFound(context);
                else
                    await Write(context, tokens.Mint(TokenScope.Client, application, Guid.Parse(user.Id)));
                break;
            case null or "":
                await Answers.MissingParameter(context, "scope", "The scope is required.");
                break;
            default:
                await Answers.BadParameter(context, "scope", "The scope must be SERVER_ACCESS or CLIENT_ACCESS.");
                break;
        }
    }

    /// <summary>The application of the key that a request brings; null for one that is not accepted.</summary>
    private BasiqApplication? Application(HttpContext context)
    {
        const string Scheme = "Basic ";
        if (context.Request.Headers.Authorization is not [{ } value] || !value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        var (key, current) = (value[Scheme.Length..].Trim(), options.Current);
        return key == current.ApiKey ? BasiqApplication.First : key == current.OtherApiKey ? BasiqApplication.Other : null;
    }

    private bool IsTooMany()
    {
        var current = options.Current;
        var now = clock.GetUtcNow();
        lock (_gate)
        {
            while (_lately.TryPeek(out var first) && now - first >= LimitSpans)
                _lately.Dequeue();
            if (current.Strict && _lately.Count >= current.TokenRequestLimit)
                return true;
            _lately.Enqueue(now);
            return false;
        }
    }

    private static Task? HeaderRefusal(HttpContext context)
    {
        var request = context.Request;
        var version = request.Headers["basiq-version"];
        if (StringValues.IsNullOrEmpty(version))
            return Answers.MissingParameter(context, "basiq-version", "The header basiq-version is required.");
        if (version != "3.0")
            return Answers.BadParameter(context, "basiq-version", "The header basiq-version must be 3.0.");
        return request.HasFormContentType && !request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase)
            ? null
            : Answers.BadContent(context, "Send the fields as application/x-www-form-urlencoded.");
    }

    private static Task Write(HttpContext context, (string Text, long ExpiresIn) token)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Answers.Json(context, 200, token, static (writer, token) =>
        {
            writer.WriteStartObject();
            writer.WriteString("access_token"u8, token.Text);
            writer.WriteString("token_type"u8, "Bearer"u8);
            writer.WriteNumber("expires_in"u8, token.ExpiresIn);
            writer.WriteEndObject();
        });
    }
}
