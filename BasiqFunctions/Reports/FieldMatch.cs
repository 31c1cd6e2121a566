using System.Text.Json.Serialization;

namespace BasiqFunctions.Reports;

/// <summary>How well something that the team was told agrees with what a bank holds.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MatchResult>))]
public enum MatchResult
{
    /// <summary>No bank holds anything to compare with.</summary>
    [JsonStringEnumMemberName("unknown")]
    Unknown,

    /// <summary>What the bank holds is something else.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>Nothing contradicts, and something is missing or shortened.</summary>
    [JsonStringEnumMemberName("partial")]
    Partial,

    /// <summary>It is the same.</summary>
    [JsonStringEnumMemberName("match")]
    Match,
}

/// <summary>The rules by which fields are found to match or not; <c>docs/reports.md</c> has the same table. Part of the contract with callers.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MatchRule>))]
public enum MatchRule
{
    /// <summary>No bank holds it, or holds it in a form that can be read.</summary>
    [JsonStringEnumMemberName("not-held")]
    NotHeld,

    /// <summary>None of the other rules applies.</summary>
    [JsonStringEnumMemberName("different")]
    Different,

    /// <summary>The same, character by character.</summary>
    [JsonStringEnumMemberName("exact")]
    Exact,

    /// <summary>The same but for letter case, spaces, punctuation and forms of address such as Mr.</summary>
    [JsonStringEnumMemberName("normalised")]
    Normalised,

    /// <summary>The same but for accents and letters that are spelled out, such as ü as u or ue.</summary>
    [JsonStringEnumMemberName("diacritics")]
    Diacritics,

    /// <summary>The same names in another order.</summary>
    [JsonStringEnumMemberName("order")]
    Order,

    /// <summary>An initial stands for a name.</summary>
    [JsonStringEnumMemberName("initials")]
    Initials,

    /// <summary>One of the two lacks names that the other has.</summary>
    [JsonStringEnumMemberName("missing-names")]
    MissingNames,

    /// <summary>Day and month are swapped.</summary>
    [JsonStringEnumMemberName("day-month-swapped")]
    DayMonthSwapped,

    /// <summary>The same but for abbreviations and ways to write a unit, such as 3/20 Banksia St.</summary>
    [JsonStringEnumMemberName("street-abbreviations")]
    StreetAbbreviations,

    /// <summary>The same but for the unit or level, which one of the two lacks.</summary>
    [JsonStringEnumMemberName("missing-unit")]
    MissingUnit,

    /// <summary>The same street, where one of the two lacks parts of the address that the other has.</summary>
    [JsonStringEnumMemberName("missing-parts")]
    MissingParts,
}

/// <summary>How a field compares.</summary>
/// <param name="Result">How well it agrees.</param>
/// <param name="Rule">The rule that says so.</param>
internal sealed record FieldMatch(
    [property: JsonPropertyName("result")] MatchResult Result, [property: JsonPropertyName("rule")] MatchRule Rule)
{
    /// <summary>Nothing is held to compare with.</summary>
    public static FieldMatch NotHeld { get; } = new(MatchResult.Unknown, MatchRule.NotHeld);

    /// <summary>What is held is something else.</summary>
    public static FieldMatch Different { get; } = new(MatchResult.None, MatchRule.Different);

    /// <summary>The same, by a rule.</summary>
    public static FieldMatch Same(MatchRule rule) => new(MatchResult.Match, rule);

    /// <summary>Nothing contradicts, by a rule.</summary>
    public static FieldMatch Part(MatchRule rule) => new(MatchResult.Partial, rule);

    /// <summary>The best of several; of equals the one whose rule changes less.</summary>
    public static FieldMatch Best(IEnumerable<FieldMatch> matches) =>
        matches.OrderByDescending(match => match.Result).ThenBy(match => match.Rule).FirstOrDefault() ?? NotHeld;
}
