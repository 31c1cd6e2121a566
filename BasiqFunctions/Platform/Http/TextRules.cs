using System.Globalization;
using FluentValidation;

namespace BasiqFunctions.Platform.Http;

/// <summary>Rules that several fields share.</summary>
internal static class TextRules
{
    /// <summary>One line of printable text; an empty one is Basiq's own example of "none".</summary>
    public static IRuleBuilderOptions<T, string?> IsLine<T>(this IRuleBuilder<T, string?> rule, int mostLength) =>
        rule.Must(text => text is null || (text.Length <= mostLength && !text.Any(BreaksLine)))
            .WithMessage(string.Create(
                CultureInfo.InvariantCulture, $"must be at most {mostLength} characters without control characters."));

    /// <summary>An id, where one is given.</summary>
    public static IRuleBuilderOptions<T, string?> IsId<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(id => id is null || RouteId.IsValid(id)).WithMessage(RouteId.Rule);

    /// <summary>A mobile number as Basiq takes it.</summary>
    public static IRuleBuilderOptions<T, string?> IsMobile<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Matches(@"\A\+[1-9][0-9]{6,14}\z")
            .WithMessage("must be in E.164 format, such as +61491570006.");

    private static bool BreaksLine(char c) =>
        char.GetUnicodeCategory(c)
            is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
