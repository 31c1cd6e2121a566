using System.Globalization;
using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Consents;

/// <summary>The jobs with which the consent page sends a person back: <c>jobIds=a,b</c>, also <c>jobId=a</c>.</summary>
internal static class JobIdList
{
    /// <summary>More banks than anybody connects in one visit.</summary>
    private const int Most = 50;

    /// <summary>Whether the consent page gave no jobs at all: the person connected no bank.</summary>
    public static bool IsAbsent(IQueryCollection query) => !Given(query).Any();

    /// <summary>The ids, each once; none when they are absent.</summary>
    /// <exception cref="ProblemException">400, naming <c>jobIds</c>.</exception>
    public static IReadOnlyList<string> From(IQueryCollection query)
    {
        List<string> ids = [];
        foreach (var id in Given(query))
        {
            if (!RouteId.IsValid(id))
                throw Refuse("must be ids of 1 to 64 letters, digits, '_' and '-', joined by commas.");
            if (!ids.Contains(id, StringComparer.Ordinal))
                ids.Add(id);
            if (ids.Count > Most)
                throw Refuse(string.Create(CultureInfo.InvariantCulture, $"must be at most {Most}."));
        }

        return ids;
    }

    private static IEnumerable<string> Given(IQueryCollection query) =>
        query["jobIds"].Concat(query["jobId"])
            .SelectMany(value => (value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    private static ProblemException Refuse(string message) => new(Problem.InvalidInput("jobIds", message));
}
