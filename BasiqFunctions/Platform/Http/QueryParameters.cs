using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Platform.Http;

/// <summary>A request's query: each known parameter at most once, no unknown ones.</summary>
internal static class QueryParameters
{
    private const int DefaultLimit = 100;

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

    /// <summary>The <c>limit</c> of a page, 100 when it is not given.</summary>
    public static int Limit(IQueryCollection query, int most, FieldErrors errors)
    {
        var limit = DefaultLimit;
        if (Value(query, "limit") is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit < 1 || limit > most))
            errors.Add("limit", $"must be a whole number from 1 to {most}.");
        return limit;
    }

    /// <summary>An id; null when it is not given.</summary>
    public static string? Id(IQueryCollection query, string name, FieldErrors errors)
    {
        var id = Value(query, name);
        if (id is not null && !RouteId.IsValid(id))
            errors.Add(name, RouteId.Rule);
        return id;
    }

    /// <summary>The id of something; null when it is not given.</summary>
    public static TId? Id<TId>(IQueryCollection query, string name, FieldErrors errors, Func<string, TId> of)
        where TId : Id =>
        Id(query, name, errors) is { } id ? of(id) : null;

    /// <summary>The <c>cursor</c>; null when it is not given.</summary>
    public static Cursor? Cursor(IQueryCollection query) => Value(query, "cursor") is { } text ? new(text) : null;

    /// <summary>The parameter's value; null when it is not given.</summary>
    public static string? Value(IQueryCollection query, string name) => query.TryGetValue(name, out var values) && values.Count == 1 ? values[0] : null;
}
