using System.Collections.Frozen;

namespace BasiqFunctions.Reports;

/// <summary>Compares names of people and organisations.</summary>
internal static class NameComparison
{
    private static readonly FrozenSet<string> Titles =
        FrozenSet.ToFrozenSet(["MR", "MRS", "MS", "MISS", "MASTER", "MX", "DR", "PROF", "PROFESSOR", "SIR", "DAME", "REV", "HON"]);

    /// <summary>How a name that was given compares with one that a bank holds.</summary>
    public static FieldMatch Compare(string given, string held)
    {
        if (given.Trim() == held.Trim())
            return FieldMatch.Same(MatchRule.Exact);
        var (one, other) = (NamesIn(given), NamesIn(held));
        if (one.Length == 0 || other.Length == 0)
            return FieldMatch.Different;
        if (string.Concat(one) == string.Concat(other))
            return FieldMatch.Same(MatchRule.Normalised);
        if (one.Length == other.Length && one.Zip(other).All(pair => Spelling.AreSame(pair.First, pair.Second)))
            return FieldMatch.Same(MatchRule.Diacritics);
        var (fewer, more) = one.Length <= other.Length ? (one, other) : (other, one);
        return Pair(fewer, more) switch
        {
            // A name alone, be it the family's, is many people's.
            null => FieldMatch.Different,
            _ when fewer.Length < 2 => FieldMatch.Different,
            { Initials: > 0 } => FieldMatch.Part(MatchRule.Initials),
            _ when fewer.Length == more.Length => FieldMatch.Same(MatchRule.Order),
            _ => FieldMatch.Part(MatchRule.MissingNames),
        };
    }

    /// <summary>The names of a text, without forms of address in front.</summary>
    private static string[] NamesIn(string text) => [.. Spelling.Words(text).SkipWhile(Titles.Contains)];

    /// <summary>Finds for each name of the one another of the other, written out or as an initial; null where that does not go, or goes by initials alone.</summary>
    private static (int Whole, int Initials)? Pair(string[] fewer, string[] more)
    {
        List<string> left = [.. more];
        List<string> shortened = [];
        foreach (var name in fewer)
        {
            if (left.FindIndex(other => Spelling.AreSame(name, other)) is >= 0 and var index)
                left.RemoveAt(index);
            else
                shortened.Add(name);
        }

        foreach (var name in shortened)
        {
            if (left.FindIndex(other => IsInitial(name, other) || IsInitial(other, name)) is not (>= 0 and var index))
                return null;
            left.RemoveAt(index);
        }

        return shortened.Count < fewer.Length ? (fewer.Length - shortened.Count, shortened.Count) : null;
    }

    private static bool IsInitial(string initial, string name) => initial.Length == 1 && Spelling.Plain(name).StartsWith(Spelling.Plain(initial), StringComparison.Ordinal);
}
