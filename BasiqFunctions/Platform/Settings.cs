using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Platform;

/// <summary>What settings a section has, and how durations are written in it.</summary>
internal static partial class Settings
{
    /// <summary>The name of the section that a class holds.</summary>
    public static string SectionOf(Type options) =>
        options.GetField("Section")?.GetRawConstantValue() as string ?? throw new InvalidOperationException($"{options} names no Section.");

    /// <summary>The settings of a section's class.</summary>
    public static IEnumerable<PropertyInfo> Of(Type options) =>
        options.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

    /// <summary>
    /// Turns durations such as <c>2s</c> into what configuration binding reads. A bare number is refused: binding would take it for days.
    /// </summary>
    /// <exception cref="OptionsValidationException">A duration is none; each such setting is named.</exception>
    public static void ReadDurations(IConfiguration configuration, IReadOnlyDictionary<string, Type> sections)
    {
        List<string> failures = [];
        foreach (var (section, options) in sections)
        {
            foreach (var property in Of(options).Where(property => (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(TimeSpan)))
            {
                var name = $"{section}:{property.Name}";
                if (configuration[name] is not { Length: > 0 } text)
                    continue;
                if (Parse(text) is not { } duration)
                    failures.Add($"{name} must be a duration such as 500ms, 2s, 15m, 7d or 00:00:02.");
                else if (!text.Contains(':', StringComparison.Ordinal))
                    configuration[name] = duration.ToString("c", CultureInfo.InvariantCulture);
            }
        }

        if (failures.Count > 0)
            throw new OptionsValidationException(nameof(Settings), typeof(Settings), failures);
    }

    internal static TimeSpan? Parse(string text)
    {
        if (Duration().Match(text) is not { Success: true } match)
            return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var written) ? written : null;
        var unit = match.Groups[2].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            _ => TimeSpan.FromDays(1),
        };
        return double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) is var number && number < TimeSpan.MaxValue / unit ? number * unit : null;
    }

    [GeneratedRegex(@"^([0-9]{1,18}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)$")]
    private static partial Regex Duration();
}
