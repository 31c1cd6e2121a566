using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Tests.Users;

/// <summary>What a caller got.</summary>
internal sealed record Answer(int Status, IHeaderDictionary Headers, string? ContentType, string Body)
{
    public JsonElement Json => JsonElement.Parse(Body);

    public string? Code => Json.GetProperty("code").GetString();

    public string[] ErrorFields =>
        Json.TryGetProperty("errors", out var errors) ? [.. errors.EnumerateObject().Select(e => e.Name)] : [];

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
        Assert.Equal(fields.Order(StringComparer.Ordinal), ErrorFields.Order(StringComparer.Ordinal));
    }
}
