using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Connections.Institutions;

/// <summary>Which banks ListInstitutions is asked for; those that fit all of it.</summary>
/// <param name="Country">Of this country.</param>
/// <param name="Tier">Of this tier.</param>
/// <param name="Words">Whose name has all of these words, or parts of words, in lower case.</param>
/// <param name="Method">That can be reached by this method; status, stage and duration are that method's.</param>
internal sealed record InstitutionQuery(string? Country, string? Tier, IReadOnlyList<string> Words, string? Method)
{
    /// <summary>The longest text that is searched for.</summary>
    public const int MostLength = 100;

    private static readonly string[] Methods = [Connector.OpenBanking, "web", "pdf", "csv"];

    /// <summary>Whether it is for all banks.</summary>
    public bool IsEmpty => Country is null && Tier is null && Method is null && Words.Count == 0;

    /// <summary>Reads it from a request's query.</summary>
    public static InstitutionQuery Read(IQueryCollection query, FieldErrors errors)
    {
        QueryParameters.Check(query, errors, "country", "tier", "q", "method");
        var (country, tier, text) = (QueryParameters.Value(query, "country"), QueryParameters.Value(query, "tier"), QueryParameters.Value(query, "q"));
        var method = QueryParameters.Value(query, "method") is { } said ? Connector.Spelled(said) : null;
        if (country is { Length: 0 or > MostLength })
            errors.Add("country", $"must have 1 to {MostLength} characters.");
        if (tier is not (null or "1" or "2" or "3" or "4"))
            errors.Add("tier", "must be 1, 2, 3 or 4.");
        if (text is { Length: > MostLength })
            errors.Add("q", $"must have at most {MostLength} characters.");
        if (method is not null && !Methods.Contains(method))
            errors.Add("method", "must be open-banking, web, pdf or csv.");
        return new InstitutionQuery(country, tier, text?.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) ?? [], method);
    }

    /// <summary>Whether a bank is of the country and the tier and has the words.</summary>
    /// <param name="bank">The bank.</param>
    /// <param name="names">What it is called and its id, in lower case.</param>
    public bool Takes(Institution bank, string names) =>
        (Country is null || string.Equals(Country, bank.Country, StringComparison.OrdinalIgnoreCase))
        && (Tier is null || Tier == bank.Tier)
        && Words.All(word => names.Contains(word, StringComparison.Ordinal));
}
