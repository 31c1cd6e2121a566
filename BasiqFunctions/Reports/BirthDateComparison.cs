using System.Globalization;

namespace BasiqFunctions.Reports;

/// <summary>Compares dates of birth.</summary>
internal static class BirthDateComparison
{
    private static readonly string[] Formats = ["yyyy-MM-dd", "dd/MM/yyyy", "d/M/yyyy", "yyyyMMdd"];

    /// <summary>How a date that was given compares with what a bank holds.</summary>
    public static FieldMatch Compare(DateOnly given, string held)
    {
        // Some banks give a moment: its day is the date.
        var text = held.Trim() is { Length: > 10 } moment && moment[10] == 'T' ? moment[..10] : held.Trim();
        if (!DateOnly.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            return FieldMatch.NotHeld;
        return date == given ? FieldMatch.Same(MatchRule.Exact)
            : (date.Year, date.Day, date.Month) == (given.Year, given.Month, given.Day) ? FieldMatch.Part(MatchRule.DayMonthSwapped)
            : FieldMatch.Different;
    }
}
