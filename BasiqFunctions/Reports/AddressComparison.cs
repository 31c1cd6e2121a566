using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace BasiqFunctions.Reports;

/// <summary>Compares Australian addresses, each in one line.</summary>
internal static class AddressComparison
{
    /// <summary>How an address that was given compares with one that a bank holds.</summary>
    public static FieldMatch Compare(string given, string held)
    {
        if (given.Trim() == held.Trim())
            return FieldMatch.Same(MatchRule.Exact);
        if (Spelling.Words(given, "/-").SequenceEqual(Spelling.Words(held, "/-")))
            return FieldMatch.Same(MatchRule.Normalised);
        var (one, other) = (PostalAddress.Read(given), PostalAddress.Read(held));
        if (one.Words.Count == 0 || other.Words.Count == 0 || one.Contradicts(other))
            return FieldMatch.Different;
        if (!one.Words.SequenceEqual(other.Words))
            return one.IsPartOf(other) || other.IsPartOf(one) ? FieldMatch.Part(MatchRule.MissingParts) : FieldMatch.Different;
        if ((one.Number, one.State, one.Postcode) != (other.Number, other.State, other.Postcode))
            return FieldMatch.Part(MatchRule.MissingParts);
        return (one.Unit, one.Level) == (other.Unit, other.Level) ? FieldMatch.Same(MatchRule.StreetAbbreviations) : FieldMatch.Part(MatchRule.MissingUnit);
    }
}

/// <summary>The parts of an address.</summary>
/// <param name="Unit">The unit, flat or apartment.</param>
/// <param name="Level">The level or floor.</param>
/// <param name="Number">The number of the house, such as 14, 14A or 14-16.</param>
/// <param name="Words">The words of street and suburb, abbreviated.</param>
/// <param name="State">The state, abbreviated.</param>
/// <param name="Postcode">The postcode.</param>
internal sealed partial record PostalAddress(string? Unit, string? Level, string? Number, IReadOnlyList<string> Words, string? State, string? Postcode)
{
    private static readonly FrozenSet<string> Units = FrozenSet.ToFrozenSet(["UNIT", "U", "APT", "APARTMENT", "FLAT", "SUITE", "STE", "VILLA", "TOWNHOUSE", "SHOP", "OFFICE"]);

    private static readonly FrozenSet<string> Levels = FrozenSet.ToFrozenSet(["LEVEL", "LVL", "FLOOR"]);

    private static readonly FrozenSet<string> Countries = FrozenSet.ToFrozenSet(["AUSTRALIA", "AUS", "AU"]);

    /// <summary>States by their names' words from the end; the country's name is also the end of two of theirs.</summary>
    private static readonly (string[] Name, string State)[] States =
    [
        (["NEW", "SOUTH", "WALES"], "NSW"), (["AUSTRALIAN", "CAPITAL", "TERRITORY"], "ACT"), (["NORTHERN", "TERRITORY"], "NT"), (["WESTERN", "AUSTRALIA"], "WA"),
        (["SOUTH", "AUSTRALIA"], "SA"), (["VICTORIA"], "VIC"), (["QUEENSLAND"], "QLD"), (["TASMANIA"], "TAS"),
        .. new[] { "NSW", "ACT", "NT", "WA", "SA", "VIC", "QLD", "TAS" }.Select(state => ((string[])[state], state)),
    ];

    private static readonly FrozenDictionary<string, string> Abbreviations = new Dictionary<string, string>
    {
        ["STREET"] = "ST",
        ["STR"] = "ST",
        ["SAINT"] = "ST",
        ["ROAD"] = "RD",
        ["AVENUE"] = "AVE",
        ["AV"] = "AVE",
        ["DRIVE"] = "DR",
        ["DRV"] = "DR",
        ["COURT"] = "CT",
        ["CRT"] = "CT",
        ["CRESCENT"] = "CRES",
        ["CR"] = "CRES",
        ["CRS"] = "CRES",
        ["PLACE"] = "PL",
        ["LANE"] = "LN",
        ["PARADE"] = "PDE",
        ["TERRACE"] = "TCE",
        ["TER"] = "TCE",
        ["HIGHWAY"] = "HWY",
        ["CLOSE"] = "CL",
        ["BOULEVARD"] = "BVD",
        ["BLVD"] = "BVD",
        ["BOULEVARDE"] = "BVD",
        ["CIRCUIT"] = "CCT",
        ["CIRCLE"] = "CIR",
        ["SQUARE"] = "SQ",
        ["ESPLANADE"] = "ESP",
        ["GROVE"] = "GR",
        ["GVE"] = "GR",
        ["PARKWAY"] = "PWY",
        ["PKWY"] = "PWY",
        ["MOUNT"] = "MT",
        ["NORTH"] = "N",
        ["NTH"] = "N",
        ["SOUTH"] = "S",
        ["STH"] = "S",
        ["EAST"] = "E",
        ["WEST"] = "W",
        ["POINT"] = "PT",
        ["HEIGHTS"] = "HTS",
        ["GARDENS"] = "GDNS",
        ["CROSSING"] = "CRSG",
        ["ARCADE"] = "ARC",
        ["CAUSEWAY"] = "CSWY",
        ["CENTRE"] = "CTR",
        ["FREEWAY"] = "FWY",
        ["JUNCTION"] = "JNC",
        ["MOTORWAY"] = "MWY",
        ["PLAZA"] = "PLZA",
        ["PROMENADE"] = "PROM",
        ["QUAY"] = "QY",
        ["RIDGE"] = "RDGE",
        ["TRACK"] = "TRK",
    }.ToFrozenDictionary();

    /// <summary>Reads an address as far as it can be read: what is no other part is a word.</summary>
    public static PostalAddress Read(string line)
    {
        List<string> words =
        [
            .. Spelling.Words(Joint().Replace(line, joint => joint.Value.Contains('/', StringComparison.Ordinal) ? "/" : "-"), "/-").Select(Spelling.Plain)
                .SelectMany(word => House().IsMatch(word) || UnitAndNumber().IsMatch(word) ? [word] : word.Split(['/', '-'], StringSplitOptions.RemoveEmptyEntries)),
        ];
        var (state, postcode) = TakeEnd(words);
        string? unit = null, level = null, number = null;
        List<string> named = [];
        for (var i = 0; i < words.Count; i++)
        {
            var (word, next) = (words[i], i + 1 < words.Count ? words[i + 1] : "");
            if (UnitAndNumber().Match(word) is { Success: true } both && number is null)
                (unit, number) = (both.Groups["unit"].Value, both.Groups["number"].Value);
            else if (Units.Contains(word) && Ordinal().Match(next) is { Success: true } of && unit is null)
                (unit, i) = (of.Groups["unit"].Value, Rest(of, i));
            else if (UnitInOne().Match(word) is { Success: true } inOne && unit is null)
                unit = inOne.Groups["unit"].Value;
            else if (Levels.Contains(word) && Ordinal().IsMatch(next) && level is null)
                (level, i) = (next, i + 1);
            else if (LevelInOne().Match(word) is { Success: true } floor && level is null)
                level = floor.Groups["level"].Value;
            else if (word is "PO" or "GPO" && next is "BOX")
                (named, i) = ([.. named, $"{word} BOX"], i + 1);
            else if (word is "POBOX" or "GPOBOX")
                named.Add($"{word[..^3]} BOX");
            else if (number is null && House().IsMatch(word))
                number = word;
            else if (word != postcode && word != state)
                named.Add(Abbreviations.GetValueOrDefault(word, word));
        }

        return new PostalAddress(unit, level, number, named, state, postcode);

        // "UNIT 3/20" has the house behind the unit.
        int Rest(Match of, int at)
        {
            if (of.Groups["number"] is not { Success: true } house)
                return at + 1;
            number ??= house.Value;
            return at + 1;
        }
    }

    /// <summary>Whether both have a part, and not the same.</summary>
    public bool Contradicts(PostalAddress other) =>
        Differ(Unit, other.Unit) || Differ(Level, other.Level) || Differ(Number, other.Number) || Differ(State, other.State) || Differ(Postcode, other.Postcode);

    /// <summary>Whether it is in the same street and has no word that the other lacks.</summary>
    public bool IsPartOf(PostalAddress other)
    {
        List<string> left = [.. other.Words];
        return Words[0] == other.Words[0] && Words.All(left.Remove);
    }

    private static bool Differ(string? one, string? other) => one is not null && other is not null && one != other;

    /// <summary>Takes country, postcode and state from the end, also where they stand there twice.</summary>
    private static (string? State, string? Postcode) TakeEnd(List<string> words)
    {
        string? state = null, postcode = null;
        while (words.Count > 1)
        {
            if (States.FirstOrDefault(known => words.Count > known.Name.Length && words[^known.Name.Length..].SequenceEqual(known.Name)) is { State: { } found } named
                && (state ?? found) == found)
            {
                state = found;
                words.RemoveRange(words.Count - named.Name.Length, named.Name.Length);
            }
            else if (Countries.Contains(words[^1]))
            {
                words.RemoveAt(words.Count - 1);
            }
            else if (Postal().IsMatch(words[^1]) && (postcode ?? words[^1]) == words[^1])
            {
                postcode = words[^1];
                words.RemoveAt(words.Count - 1);
            }
            else
            {
                break;
            }
        }

        return (state, postcode);
    }

    [GeneratedRegex("^[0-9]{4}$")]
    private static partial Regex Postal();

    [GeneratedRegex("^[0-9]+[A-Z]?(-[0-9]+[A-Z]?)?$")]
    private static partial Regex House();

    [GeneratedRegex("^(UNIT|U|APT|FLAT)?(?<unit>[0-9]+[A-Z]?|[A-Z][0-9]*)/(?<number>[0-9]+[A-Z]?(-[0-9]+[A-Z]?)?)$")]
    private static partial Regex UnitAndNumber();

    [GeneratedRegex("^(?<unit>[0-9]+[A-Z]?|[A-Z][0-9]*)(/(?<number>[0-9]+[A-Z]?(-[0-9]+[A-Z]?)?))?$")]
    private static partial Regex Ordinal();

    /// <summary>What stands between two numbers, with spaces or as a dash of another kind.</summary>
    [GeneratedRegex(@"(?<=[0-9][A-Za-z]?)\s*[/\u2013\u2014-]\s*(?=[0-9])")]
    private static partial Regex Joint();

    [GeneratedRegex("^(L|LVL|LEVEL)(?<level>[0-9]+)$")]
    private static partial Regex LevelInOne();

    [GeneratedRegex("^(U|APT|FLAT|UNIT)(?<unit>[0-9]+[A-Z]?)$")]
    private static partial Regex UnitInOne();
}
