using System.Globalization;

namespace BasiqFunctions.Sandbox.Data;

/// <summary>When days begin in Sydney, on any machine: no time-zone data are needed for the rule that holds since 2008.</summary>
internal static class SydneyDays
{
    /// <summary>How long a moment is as text.</summary>
    public const int TextLength = 20;

    private const int StandardOffset = 10;

    /// <summary>The moment, in UTC, at which a day begins.</summary>
    public static DateTime Begins(int dayNumber)
    {
        var day = DateOnly.FromDayNumber(dayNumber);
        return day.ToDateTime(TimeOnly.MinValue).AddHours(-StandardOffset - (BeginsInSummerTime(day) ? 1 : 0));
    }

    /// <summary>The number of the day that it is at a moment of UTC.</summary>
    public static int Of(DateTime moment)
    {
        var day = DateOnly.FromDateTime(moment).DayNumber + 1;
        return Begins(day) <= moment ? day : day - 1;
    }

    /// <summary>The day that it is at a moment, as a person reads it: <c>2 January 2027</c>.</summary>
    public static string InWords(DateTimeOffset moment) =>
        DateOnly.FromDayNumber(Of(moment.UtcDateTime)).ToString("d MMMM yyyy", CultureInfo.InvariantCulture);

    // Clocks go on at 2 a.m. on the first Sunday of October, and back at 3 a.m. on the first of April: either day has begun by then.
    private static bool BeginsInSummerTime(DateOnly day) =>
        day > FirstSunday(day.Year, 10) || day <= FirstSunday(day.Year, 4);

    private static DateOnly FirstSunday(int year, int month)
    {
        var first = new DateOnly(year, month, 1);
        return first.AddDays((7 - (int)first.DayOfWeek) % 7);
    }
}
