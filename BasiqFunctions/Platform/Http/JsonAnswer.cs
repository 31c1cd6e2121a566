using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Platform.Http;

/// <summary>An answer of one JSON value.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Value">The value.</param>
/// <param name="Type">How it is written; as <see cref="AppJson.OfAnswer"/> has it without.</param>
internal sealed record JsonAnswer<T>(int Status, T Value, JsonTypeInfo<T>? Type = null) : IResult, IStatusCodeHttpResult
{
    /// <summary>Header <c>Location</c>.</summary>
    public string? Location { get; init; }

    /// <summary>When to ask again, header <c>Retry-After</c> in whole seconds.</summary>
    public TimeSpan? RetryAfter { get; init; }

    int? IStatusCodeHttpResult.StatusCode => Status;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        httpContext.Protect();
        if (Location is not null)
            response.Headers.Location = Location;
        if (RetryAfter is { } wait)
            response.Headers.RetryAfter = ((long)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);

        // Whole and with its length: cheaper to frame, for both sides, than the chunks of an answer that is written as it is made.
        var body = JsonSerializer.SerializeToUtf8Bytes(Value, Type ?? AppJson.OfAnswer<T>());
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, httpContext.RequestAborted);
    }
}

/// <summary>Makes the answers that are made most.</summary>
internal static class JsonAnswer
{
    /// <summary>200.</summary>
    public static JsonAnswer<T> Ok<T>(T value) => new(StatusCodes.Status200OK, value);
}
