using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace BasiqFunctions.Sandbox.Platform;

/// <summary>One entry of Basiq's error body.</summary>
internal sealed record ApiError(string Code, string Title, string Detail, string? Parameter = null, string? Pointer = null);

/// <summary>Writes answers straight into the response: JSON without reflection, and Basiq's error body.</summary>
internal static class Answers
{
    public static readonly JsonWriterOptions WriterOptions = new()
    {
        // The body is JSON and nothing else: an apostrophe of a filter link or a '+' of a mobile needs no escape.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public static async Task Json<TState>(HttpContext context, int status, TState state, Action<Utf8JsonWriter, TState> write)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(response.BodyWriter, WriterOptions);
        write(writer, state);
        writer.Flush();
        response.ContentLength = writer.BytesCommitted;
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>Hands over what a long answer has so far, so that it need not stand in memory whole.</summary>
    public static async ValueTask FlushIfMuch(HttpContext context, Utf8JsonWriter writer)
    {
        const int Much = 32 * 1024;
        if (writer.BytesPending + context.Response.BodyWriter.UnflushedBytes < Much)
            return;
        writer.Flush();
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    public static Task Error(HttpContext context, int status, params IReadOnlyList<ApiError> errors)
    {
        return Json(context, status, errors, static (writer, errors) =>
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteString("correlationId"u8, RandomNumberGenerator.GetHexString(16, lowercase: true));
            writer.WriteStartArray("data"u8);
            foreach (var error in errors)
            {
                writer.WriteStartObject();
                writer.WriteString("type"u8, "error"u8);
                writer.WriteString("code"u8, error.Code);
                writer.WriteString("title"u8, error.Title);
                writer.WriteString("detail"u8, error.Detail);
                if (error.Parameter is not null)
                {
                    writer.WriteStartObject("source"u8);
                    writer.WriteString("parameter"u8, error.Parameter);
                    if (error.Pointer is not null)
                        writer.WriteString("pointer"u8, error.Pointer);
                    writer.WriteEndObject();
                }

                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    public static Task NotFound(HttpContext context) => Error(
        context, 404, new ApiError("resource-not-found", "Requested resource is not found.", "Resource not found."));

    public static Task Unauthorized(HttpContext context, string code, string detail)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Error(context, 401, new ApiError(code, "Unauthorized Access", detail));
    }

    /// <summary>Beyond the scope of the caller's token.</summary>
    public static Task WrongScope(HttpContext context) =>
        Forbidden(context, "forbidden-access", "Forbidden Access", "Access to this resource is forbidden.");

    public static Task Forbidden(HttpContext context, string code, string title, string detail) =>
        Error(context, 403, new ApiError(code, title, detail, "Authorization"));

    public static Task BadParameter(HttpContext context, string parameter, string detail) => Error(
        context, 400, new ApiError("parameter-not-valid", "Parameter not valid.", detail, parameter));

    public static Task MissingParameter(HttpContext context, string parameter, string detail) => Error(
        context, 400, new ApiError("parameter-not-supplied", "Parameter not supplied.", detail, parameter));

    public static Task BadContent(HttpContext context, string detail) => Error(
        context, 400, new ApiError("invalid-content", "Invalid content.", detail));

    public static Task NoContent(HttpContext context)
    {
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    /// <summary>Scheme and host that the caller used, so that links lead back to where they came from.</summary>
    public static string BaseUrl(this HttpContext context) => $"{context.Request.Scheme}://{context.Request.Host.Value}";

    /// <summary>UTC, RFC 3339, whole seconds, as in Basiq's examples.</summary>
    public static string Timestamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null);
}
