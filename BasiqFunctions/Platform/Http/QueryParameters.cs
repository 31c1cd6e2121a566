using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Platform.Http;

/// <summary>A request's query: each known parameter at most once, no unknown ones.</summary>
internal static class QueryParameters
{
    /// <summary>
    /// Adds an error for every parameter that is not among the known ones or is given twice. <c>code</c> and <c>clientId</c> are
    /// the Functions host's own: a function key may come in the query (Microsoft Learn, "Azure Functions HTTP trigger",
    /// Authorization keys).
    /// </summary>
    public static void Check(IQueryCollection query, FieldErrors errors, params ReadOnlySpan<string> known)
    {
        foreach (var (name, values) in query)
        {
            if (name is "code" or "clientId")
                continue;
            var isKnown = false;
            foreach (var candidate in known)
                isKnown |= candidate == name;
            if (!isKnown)
                errors.Add(JsonBody.Shorten(name), "is not a parameter of this function.");
            else if (values.Count != 1)
                errors.Add(name, "must be given once.");
        }
    }

    /// <summary>The parameter's value; null when it is not given.</summary>
    public static string? Value(IQueryCollection query, string name) => query.TryGetValue(name, out var values) && values.Count == 1 ? values[0] : null;
}
