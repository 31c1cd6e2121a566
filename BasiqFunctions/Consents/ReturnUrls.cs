using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>
/// The allow list of return URLs. A browser and a server may read a strange URL differently, so a URL that could be read in two
/// ways is refused before it is compared, and the one that is sent to the browser is spelled anew from what was compared.
/// </summary>
public sealed partial class ReturnUrls(IOptions<ConsentOptions> options)
{
    /// <summary>Longer URLs are refused: the state carries the URL, and it travels in a query.</summary>
    internal const int MostLength = 1024;

    private readonly Uri[] _allowed = [.. options.Value.ReturnUrls.Select(url => Parse(url)).OfType<Uri>()];

    /// <summary>The first of the list, for a person of whom it is not known where they came from; null when there is none.</summary>
    public Uri? First => _allowed.FirstOrDefault();

    /// <summary>The URL if a person may be sent there, else null.</summary>
    public Uri? Allowed(string? text) => Parse(text) is { } url && _allowed.Any(allowed => Covers(allowed, url)) ? url : null;

    /// <summary>An absolute URL that leaves no room for two readings, else null.</summary>
    internal static Uri? Parse(string? text) =>
        text is { Length: <= MostLength }
        && Plain().IsMatch(text)
        && Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))
        && url.Host.Length > 0
        && url.UserInfo.Length == 0
        && url.Fragment.Length == 0
        && !HiddenSeparator().IsMatch(url.AbsolutePath)
            ? url
            : null;

    private static bool Covers(Uri allowed, Uri url)
    {
        var path = allowed.AbsolutePath.TrimEnd('/');
        return allowed.Scheme == url.Scheme
            && string.Equals(allowed.IdnHost, url.IdnHost, StringComparison.OrdinalIgnoreCase)
            && allowed.Port == url.Port
            && url.AbsolutePath.StartsWith(path, StringComparison.Ordinal)
            && (url.AbsolutePath.Length == path.Length || url.AbsolutePath[path.Length] == '/');
    }

    /// <summary>Printable ASCII, two slashes and then an authority without user; no backslash, no fragment.</summary>
    [GeneratedRegex(@"\A(?i:https?)://[^/?#@\\\x00-\x20\x7F-\uFFFF]+(?:[/?][^#\\\x00-\x20\x7F-\uFFFF]*)?\z")]
    private static partial Regex Plain();

    /// <summary>
    /// What some server would decode, once or twice, into another path: a slash, backslash or dot, overlong or in other spellings too;
    /// a control character; or dots that are alone once a segment's parameters or the space at its end are taken away.
    /// </summary>
    [GeneratedRegex(@"%(?:25)*(?:2f|5c|2e|[01][0-9a-f]|7f|c[01]|u)|/\.{1,2}(?:;|%(?:25)*(?:3b|20))", RegexOptions.IgnoreCase)]
    private static partial Regex HiddenSeparator();
}
