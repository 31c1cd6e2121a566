using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests;

/// <summary>An answer as the caller gets it.</summary>
internal sealed record Answer(int Status, IHeaderDictionary Headers, string? ContentType, string Body)
{
    public JsonElement Json => JsonElement.Parse(Body);

    public string? Code => Json.GetProperty("code").GetString();

    /// <summary>The names of the fields that the answer finds fault with.</summary>
    public IEnumerable<string> Fields => Json.TryGetProperty("errors", out var errors) ? errors.EnumerateObject().Select(e => e.Name) : [];

    public static async Task<Answer> OfAsync(IResult result)
    {
        using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Response.Body = body;
        await result.ExecuteAsync(context);
        await context.Response.BodyWriter.FlushAsync();
        return new Answer(context.Response.StatusCode, context.Response.Headers, context.Response.ContentType, Encoding.UTF8.GetString(body.ToArray()));
    }

    /// <summary>Asserts that it is a problem of this status and code.</summary>
    public Answer IsProblem(int status, string code)
    {
        Assert.Equal((status, code), (Status, Code));
        Assert.Equal("application/problem+json", ContentType);
        Assert.Equal(status, Json.GetProperty("status").GetInt32());
        return this;
    }

    /// <summary>Asserts that it is a 400 that names these fields and no others.</summary>
    public void Names(params string[] fields)
    {
        IsProblem(400, "invalid-input");
        Assert.Equal(fields.Order(StringComparer.Ordinal), Fields.Order(StringComparer.Ordinal));
    }
}
