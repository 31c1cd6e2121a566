using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Platform.Http;

/// <summary>Entity tags: by them a caller that has an answer learns that it has not changed (RFC 9110, section 13.1.2).</summary>
internal static class EntityTags
{
    /// <summary>What If-None-Match means to a function that heeds it.</summary>
    public const string Meaning = "The ETag of an answer that the caller has: 304 when it is the same.";

    private const int Length = 12;

    /// <summary>
    /// The tag of what these texts tell apart. It is weak: the same answer comes in several content codings.
    /// </summary>
    public static EntityTagHeaderValue Of(params ReadOnlySpan<string?> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in parts)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(part ?? ""));
            hash.AppendData([0]);
        }

        return new EntityTagHeaderValue($"\"{Base64Url.EncodeToString(hash.GetHashAndReset().AsSpan(0, Length))}\"", isWeak: true);
    }

    /// <summary>Whether a request names the tags of answers that the caller has. Those were given, so what else it asks with was in order.</summary>
    public static bool NamesTags(HttpRequest request) =>
        request.GetTypedHeaders().IfNoneMatch is { Count: > 0 } known && !known.Contains(EntityTagHeaderValue.Any);

    /// <summary>Whether the caller has the answer.</summary>
    public static bool IsKnown(HttpRequest request, EntityTagHeaderValue tag) =>
        request.GetTypedHeaders().IfNoneMatch is { } known && known.Any(other => other == EntityTagHeaderValue.Any || other.Compare(tag, useStrongComparison: false));
}

/// <summary>304: the caller has the answer.</summary>
internal sealed record NotModified(EntityTagHeaderValue Tag) : IResult, IStatusCodeHttpResult
{
    public int? StatusCode => StatusCodes.Status304NotModified;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = StatusCodes.Status304NotModified;
        httpContext.Protect();
        response.Headers.ETag = Tag.ToString();
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        return Task.CompletedTask;
    }
}
