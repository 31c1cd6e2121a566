using System.Globalization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>Moments as Basiq writes them: ISO 8601, of UTC where nothing else is said.</summary>
internal static class BasiqTime
{
    /// <summary>The moment; null for a text that is none, that is missing, or that says "none" by a date in the year 1.</summary>
    internal static DateTimeOffset? Of(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) && moment.UtcDateTime.Year > 1
            ? moment
            : null;
}
