using System.Globalization;
using System.Text;

namespace BasiqFunctions.Users;

/// <summary>
/// The shape of an e-mail address that is in use: no quoted local part, no comments, no address literal (a subset of RFC 5322
/// with the lengths of RFC 5321, and RFC 6531's characters beyond ASCII).
/// </summary>
internal static class EmailAddress
{
    private const int MostLength = 254;
    private const int MostLocalLength = 64;
    private const int MostLabelLength = 63;

    /// <summary>Whether it has the shape.</summary>
    public static bool IsAddress(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return text.Length <= MostLength
            && at is > 0 and <= MostLocalLength
            && IsLocalPart(text.AsSpan(0, at))
            && IsDomain(text[(at + 1)..]);
    }

    private static bool IsLocalPart(ReadOnlySpan<char> local)
    {
        if (local[0] == '.' || local[^1] == '.' || local.Contains("..", StringComparison.Ordinal))
            return false;
        foreach (var c in local.EnumerateRunes())
        {
            if (!IsWordCharacter(c) && !(c.IsAscii && ".!#$%&'*+-/=?^_`{|}~".Contains((char)c.Value, StringComparison.Ordinal)))
                return false;
        }

        return true;
    }

    private static bool IsDomain(string domain)
    {
        var labels = domain.Split('.');
        return labels.Length >= 2 && labels.All(IsLabel);
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= MostLabelLength
        && label[0] != '-'
        && label[^1] != '-'
        && label.EnumerateRunes().All(c => c.Value is '-' || IsWordCharacter(c));

    /// <summary>
    /// Letters and digits, and beyond ASCII what belongs to words and has one spelling only: an address that can be spelled in two
    /// ways would make one person two users.
    /// </summary>
    private static bool IsWordCharacter(Rune c) =>
        c.IsAscii
            ? char.IsAsciiLetterOrDigit((char)c.Value)
            : !LookAlikes.Contains(c)
                && (Rune.IsLetterOrDigit(c)
                    || Rune.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark);
}
