using System.Collections.Frozen;

namespace BasiqFunctions.Reports;

/// <summary>Compares names of people and organisations.</summary>
internal static class NameComparison
{
    /// <summary>Forms of address that are nobody's name, wherever they stand: banks write OKAFOR, MS MAYA.</summary>
    private static readonly FrozenSet<string> Titles = FrozenSet.ToFrozenSet(["MR", "MRS", "MS", "MISS", "MX", "DR", "PROF", "PROFESSOR"]);

    /// <summary>Forms of address that are names as well, such as Hon: they stand in front of at least two names.</summary>
    private static readonly FrozenSet<string> Honorifics = FrozenSet.ToFrozenSet(["MASTER", "SIR", "DAME", "REV", "HON"]);

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
        if (AreTurned(one, other) || AreTurned(other, one))
            return FieldMatch.Same(MatchRule.Order);
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

    /// <summary>The names of a text, without forms of address.</summary>
    private static string[] NamesIn(string text)
    {
        string[] names = [.. Spelling.Words(text).Where(word => !Titles.Contains(word))];
        while (names.Length > 2 && Honorifics.Contains(names[0]))
            names = names[1..];
        return names;
    }

    /// <summary>Whether two names are the same when the one begins with another of its words, however they are joined: Du Toit, Annemarie.</summary>
    private static bool AreTurned(string[] one, string[] other)
    {
        var joined = Spelling.Plain(string.Concat(other));
        return Enumerable.Range(1, one.Length - 1).Any(at => Spelling.Plain(string.Concat([.. one[at..], .. one[..at]])) == joined);
    }

    /// <summary>Finds for each name of the one another of the other, written out or as an initial; null where that does not go, or goes by initials alone.</summary>
    private static (int Whole, int Initials)? Pair(string[] fewer, string[] more)
    {
        List<string> left = [.. more];
        List<string> others = [];
        var (whole, initials) = (0, 0);
        foreach (var name in fewer)
        {
            if (name.Length > 1 && Take(other => Spelling.AreSame(name, other)))
                whole++;
            else
                others.Add(name);
        }

        // What is written out first, since only an initial is left for it; an initial takes a name before it takes another initial.
        foreach (var name in others.OrderByDescending(name => name.Length > 1))
        {
            if (Take(other => other.Length != name.Length && (IsInitial(name, other) || IsInitial(other, name))))
                initials++;
            else if (name.Length == 1 && Take(other => Spelling.AreSame(name, other)))
                whole++;
            else
                return null;
        }

        return whole > 0 ? (whole, initials) : null;

        bool Take(Predicate<string> isIt)
        {
            var index = left.FindIndex(isIt);
            if (index >= 0)
                left.RemoveAt(index);
            return index >= 0;
        }
    }

    private static bool IsInitial(string initial, string name) => initial.Length == 1 && Spelling.Plain(name).StartsWith(Spelling.Plain(initial), StringComparison.Ordinal);
}
