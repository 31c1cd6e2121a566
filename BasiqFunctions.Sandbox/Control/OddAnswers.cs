using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BasiqFunctions.Sandbox.Auth;
using BasiqFunctions.Sandbox.Platform;
using Microsoft.AspNetCore.Http.Features;

namespace BasiqFunctions.Sandbox.Control;

/// <summary>
/// Answers that mean something else than they seem to, each seen at Basiq or at something that stands before it. A kind is known by
/// its name, and concerns some requests only.
/// </summary>
internal static class OddAnswers
{
    public const string TokenRefused = "token-refused";
    public const string TokenOverloaded = "token-overloaded";
    public const string TokenExpired = "token-expired";
    public const string Unavailable = "unavailable";
    public const string BareForbidden = "bare-403";
    public const string HtmlForbidden = "html-403";
    public const string HtmlNotFound = "html-404";
    public const string HtmlSuccess = "html-200";
    public const string ByteOrderMark = "byte-order-mark";
    public const string ShiftedPage = "shifted-page";
    public const string EndlessPages = "endless-pages";
    public const string LostJob = "lost-job";
    public const string StepWithoutStatus = "step-without-status";
    public const string MalformedJobs = "malformed-jobs";
    public const string AccountTwice = "account-twice";
    public const string MalformedAccount = "malformed-account";

    private static readonly Dictionary<string, Kind> ByName = new(StringComparer.Ordinal)
    {
        // The key is refused, though nothing is wrong with it.
        [TokenRefused] = new(IsToken, static (context, _) => TokenEndpoint.Refuse(context)),
        [TokenOverloaded] = new(IsToken, static (context, _) => TokenEndpoint.RefuseAsTooMany(context)),
        [TokenExpired] = new(static r => !IsToken(r), static (context, _) => ApiRoutes.RefuseAsExpired(context)),
        [Unavailable] = new(Any, static (context, _) => Answers.Error(
            context, 503, new ApiError("service-unavailable", "Service Unavailable", "Service Unavailable. Try again later."))),

        // A gateway's: nothing of it is Basiq's, and the request has not been carried out.
        [BareForbidden] = new(Any, static (context, _) =>
        {
            context.Response.StatusCode = 403;
            return Task.CompletedTask;
        }),
        [HtmlForbidden] = new(Any, static (context, _) => Html(context, 403, "403 Forbidden")),
        [HtmlNotFound] = new(Any, static (context, _) => Html(context, 404, "404 Not Found")),
        [HtmlSuccess] = new(Any, static (context, _) => Html(context, 200, "We will be back soon")),

        [ByteOrderMark] = new(Any, static (context, next) => Changed(context, next, static body => [.. Encoding.UTF8.Preamble, .. body])),

        // The last transaction of this page is the first of the next, as when one has come in between.
        [ShiftedPage] = new(IsTransactions, Marked(ShiftedPage)),

        // This page's next page is this page.
        [EndlessPages] = new(IsTransactions, Marked(EndlessPages)),

        // As a replica says that is behind.
        [LostJob] = new(IsJob, static (context, _) => Answers.NotFound(context)),
        [StepWithoutStatus] = new(
            IsJob, static (context, next) => Edited(context, next, static job => job["steps"]?.AsArray().LastOrDefault()?.AsObject().Remove("status"))),
        [MalformedJobs] = new(
            static r => IsListOf(r, "/jobs"),
            static (context, next) => Edited(context, next, static list =>
            {
                foreach (var job in list["data"]!.AsArray().OfType<JsonObject>().Take(1).ToArray())
                    list["data"]!.AsArray().Add(Malformed(job));
            })),
        [AccountTwice] = new(
            static r => IsListOf(r, "/accounts"),
            static (context, next) => Edited(context, next, static list =>
            {
                if (list["data"]!.AsArray() is [{ } first, ..] accounts)
                    accounts.Add(first.DeepClone());
            })),
        [MalformedAccount] = new(
            static r => IsListOf(r, "/accounts"),
            static (context, next) => Edited(context, next, static list =>
            {
                if (list["data"]!.AsArray() is not [{ } first, ..] accounts)
                    return;
                var malformed = first.DeepClone().AsObject();
                malformed["id"] = null;
                accounts.Insert(0, malformed);
            })),
    };

    /// <summary>The names of all kinds.</summary>
    public static IReadOnlyCollection<string> Kinds => ByName.Keys;

    /// <summary>Whether a kind may answer a request.</summary>
    public static bool Concerns(string kind, HttpRequest request) => ByName[kind].Concerns(request);

    /// <summary>Answers a request in this way.</summary>
    public static Task PlayAsync(string kind, HttpContext context, RequestDelegate next) => ByName[kind].Play(context, next);

    /// <summary>Whether the page of transactions that is being written is to be one of this kind.</summary>
    public static bool IsMarked(HttpContext context, string kind) => context.Items.ContainsKey(kind);

    /// <summary>Carries a request out, and keeps its answer from the caller.</summary>
    public static async Task<MemoryStream> BufferAsync(HttpContext context, RequestDelegate next)
    {
        var real = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var whole = new MemoryStream();
        var buffered = new StreamResponseBodyFeature(whole);
        context.Features.Set<IHttpResponseBodyFeature>(buffered);
        try
        {
            await next(context);
            await buffered.CompleteAsync();
        }
        finally
        {
            context.Features.Set(real);
        }

        return whole;
    }

    private static bool Any(HttpRequest request) => true;

    private static bool IsToken(HttpRequest request) => request.Path == "/token";

    private static bool IsTransactions(HttpRequest request) => IsListOf(request, "/transactions");

    private static bool IsListOf(HttpRequest request, string what) =>
        HttpMethods.IsGet(request.Method) && request.Path.Value!.EndsWith(what, StringComparison.Ordinal);

    private static bool IsJob(HttpRequest request) => HttpMethods.IsGet(request.Method) && request.Path.StartsWithSegments("/jobs");

    private static Func<HttpContext, RequestDelegate, Task> Marked(string kind) => (context, next) =>
    {
        context.Items[kind] = true;
        return next(context);
    };

    private static Task Html(HttpContext context, int status, string title)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(
            $"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>", context.RequestAborted);
    }

    private static JsonObject Malformed(JsonObject job)
    {
        var malformed = job.DeepClone().AsObject();
        malformed["id"] = $"malformed-{job["id"]}";
        malformed["riskScore"] = new JsonArray(1, "two");
        malformed["steps"] = new JsonArray(
            new JsonObject { ["title"] = "verify-credentials", ["result"] = null },
            new JsonObject { ["title"] = "retrieve-accounts", ["status"] = "success", ["result"] = new JsonArray("a list") },
            null);
        return malformed;
    }

    private static Task Edited(HttpContext context, RequestDelegate next, Action<JsonObject> edit) => Changed(context, next, body =>
    {
        if (JsonNode.Parse(body) is not JsonObject json)
            return body;
        edit(json);
        using var edited = new MemoryStream();
        using (var writer = new Utf8JsonWriter(edited, Answers.WriterOptions))
            json.WriteTo(writer);
        return edited.ToArray();
    });

    /// <summary>Only what succeeded is changed.</summary>
    private static async Task Changed(HttpContext context, RequestDelegate next, Func<byte[], byte[]> change)
    {
        using var whole = await BufferAsync(context, next);
        var body = whole.ToArray();
        if (body.Length == 0)
            return;
        if (context.Response.StatusCode is >= 200 and < 300)
            body = change(body);
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private sealed record Kind(Func<HttpRequest, bool> Concerns, Func<HttpContext, RequestDelegate, Task> Play);
}
