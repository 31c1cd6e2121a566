using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>Looks for secrets and personal data in what others can read, in every spelling that they might come in.</summary>
/// <param name="secrets">What is looked for: a name that may be told, and the value.</param>
internal sealed partial class LeakDetector(IEnumerable<KeyValuePair<string, string>> secrets)
{
    private readonly (string Name, string Form)[] _forms =
    [
        .. from secret in secrets
           from form in Forms(secret.Value).Distinct(StringComparer.OrdinalIgnoreCase)
           select (secret.Key, form),
    ];

    /// <summary>What was found in a text, by channel and name, never by value; with what stands before it, as far as it is known.</summary>
    public IReadOnlyList<string> Find(string channel, string text) =>
    [
        .. from secret in _forms
           let at = Position(text, secret.Form)
           where at >= 0
           select Describe(channel, secret.Name, text, at),
        .. Personal().Matches(text).Select(match => Describe(channel, "something personal", text, match.Index)),
    ];

    private static string Describe(string channel, string name, string text, int at) =>
        $"{channel}: {name} after '{text[Math.Max(0, at - 80)..at].ReplaceLineEndings(" ")}'";

    private static int Position(string text, string form)
    {
        for (var at = 0; (at = text.IndexOf(form, at, StringComparison.OrdinalIgnoreCase)) >= 0; at++)
        {
            // The digits of a balance may well be part of some other number.
            if (!form.All(c => char.IsAsciiDigit(c) || c is '.' or '-')
                || !(IsOfNumber(text, at - 1) || IsOfNumber(text, at + form.Length)))
                return at;
        }

        return -1;
    }

    private static bool IsOfNumber(string text, int at) =>
        at >= 0 && at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '.' or '-');

    private static IEnumerable<string> Forms(string value)
    {
        yield return value;
        yield return Uri.EscapeDataString(value);
        yield return JavaScriptEncoder.Default.Encode(value);
        yield return HtmlEncoder.Default.Encode(value);

        // Three beginnings, for where it may stand in a longer text; the ends depend on the neighbours.
        var bytes = Encoding.UTF8.GetBytes(value);
        for (var shift = 0; shift < 3 && bytes.Length >= 9; shift++)
            yield return Convert.ToBase64String([.. new byte[shift], .. bytes])[4..^4];
    }

    /// <summary>
    /// An e-mail address (other than one of an example), an Australian mobile number (other than those that belong to nobody), an access token's field, or an authorization
    /// header. Of an address there must be enough that the random bytes of a trace's id do not look like one now and then.
    /// </summary>
    [GeneratedRegex(@"[A-Za-z0-9.+_-]+@(?!example\.)[A-Za-z0-9-]{2,}\.[A-Za-z]{2,}|(?<![\w-])\+?614(?!91570)\d{8}(?!\w)|access_token|(?:Bearer|Basic) [\w-]{8,}")]
    private static partial Regex Personal();
}
