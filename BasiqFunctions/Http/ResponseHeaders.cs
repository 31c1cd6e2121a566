using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Http;

/// <summary>The headers of an answer that is one person's business.</summary>
internal static class ResponseHeaders
{
    /// <summary>No cache keeps the answer, and no browser guesses another type for it.</summary>
    public static void SetPersonal(this IHeaderDictionary headers)
    {
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
    }
}
