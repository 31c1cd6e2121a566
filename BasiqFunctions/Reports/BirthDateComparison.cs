using System.Globalization;

namespace BasiqFunctions.Reports;

/// <summary>Compares dates of birth.</summary>
internal static class BirthDateComparison
{
    /// <summary>Numbers are day, month and year, as Australian banks write them, or begin with the year.</summary>
    private static readonly string[] Formats =
        ["yyyy-MM-dd", "yyyy/MM/dd", "yyyyMMdd", "d/M/yyyy", "d-M-yyyy", "d.M.yyyy", "d MMM yyyy", "d MMMM yyyy"];

    /// <summary>How a date that was given compares with what a bank holds.</summary>
    public static FieldMatch Compare(DateOnly given, string held)
    {
        // Some banks give a moment: its day is the date.
        var text = held.Trim() is { Length: > 10 } moment && moment[4] == '-' && moment[10] is 'T' or ' ' ? moment[..10] : held.Trim();
        if (!DateOnly.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            return FieldMatch.NotHeld;
        return date == given ? FieldMatch.Same(MatchRule.Exact)
            : (date.Year, date.Day, date.Month) == (given.Year, given.Month, given.Day) ? FieldMatch.Part(MatchRule.DayMonthSwapped)
            : FieldMatch.Different;
    }
}
