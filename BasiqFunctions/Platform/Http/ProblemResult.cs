using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace BasiqFunctions.Platform.Http;

/// <summary>An error answer: <c>application/problem+json</c> (RFC 9457) with the members that this app adds.</summary>
internal sealed record ProblemResult(int Status, string Code, string Detail) : IResult, IStatusCodeHttpResult, IContentTypeHttpResult
{
    /// <summary>What is wrong per field, member <c>errors</c>.</summary>
    public FieldErrors? Errors { get; init; }

    /// <summary>Basiq's id of the failure, for its support, member <c>correlationId</c>.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>When to try again, header <c>Retry-After</c> in whole seconds, rounded up.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public string ContentType => "application/problem+json";

    int? IStatusCodeHttpResult.StatusCode => Status;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = ContentType;
        httpContext.Protect();
        if (RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await using var writer = new Utf8JsonWriter(response.BodyWriter, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteString("title"u8, ReasonPhrases.GetReasonPhrase(Status));
        writer.WriteNumber("status"u8, Status);
        writer.WriteString("code"u8, Code);
        writer.WriteString("detail"u8, Detail);
        if (Errors is { Count: > 0 })
        {
            writer.WriteStartObject("errors"u8);
            foreach (var (field, messages) in Errors.Fields)
            {
                writer.WriteStartArray(field);
                foreach (var message in messages)
                    writer.WriteStringValue(message);
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
        }
        if (CorrelationId is not null)
            writer.WriteString("correlationId"u8, CorrelationId);
        writer.WriteEndObject();
        await writer.FlushAsync(httpContext.RequestAborted);
    }
}
