using System.Text.RegularExpressions;

namespace BasiqFunctions.Platform.Telemetry;

/// <summary>Masks in free text what most likely is personal: e-mail addresses, and account, card and phone numbers.</summary>
internal static partial class DetailRedaction
{
    /// <summary>The text with e-mail addresses and runs of five digits or more, spaces and hyphens inside included, masked.</summary>
    internal static string Mask(string text) => Digits().Replace(Email().Replace(text, "***@***"), "*****");

    [GeneratedRegex(@"[^\s@<>,;:'""()]+@[^\s@<>,;:'""()]+")]
    private static partial Regex Email();

    [GeneratedRegex(@"\+?\d(?:[ -]?\d){4,}")]
    private static partial Regex Digits();
}
