using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace BasiqFunctions.Platform.Http;

/// <summary>
/// Which ids are taken from callers: 1 to 64 ASCII letters, digits, <c>_</c> and <c>-</c>. All of Basiq's are such; nothing else
/// gets near a path, a blob name or an upstream URL.
/// </summary>
internal static class RouteId
{
    public const int MaxLength = 64;

    /// <summary>What is wrong with a text that is none.</summary>
    public const string Rule = "must have 1 to 64 characters: letters, digits, '_' and '-'.";

    /// <summary>Whether it is an id.</summary>
    public static bool IsValid(string? id)
    {
        if (id is null || id.Length is 0 or > MaxLength)
            return false;
        foreach (var c in id)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))
                return false;
        }
        return true;
    }

    /// <summary>The 400 that names every id of a path that is none; null when all are well.</summary>
    public static IResult? Refuse(RouteValueDictionary path)
    {
        FieldErrors? errors = null;
        foreach (var (field, id) in path)
        {
            if (field.EndsWith("Id", StringComparison.Ordinal) && !IsValid(id as string))
                (errors ??= new FieldErrors()).Add(field, Rule);
        }

        return errors is null ? null : Problem.InvalidInput(errors);
    }
}
