using System.Globalization;

namespace BasiqFunctions.Tests.Edges;

/// <summary>
/// Where a browser goes with an address: the parts of the WHATWG's URL Standard that decide on origin and path of http and https
/// URLs, written from its steps and leaving nothing to <see cref="Uri"/>.
/// </summary>
internal sealed record BrowserUrl(string Scheme, string Host, int Port, IReadOnlyList<string> Path)
{
    private const string ForbiddenInHosts = "\0\t\n\r #/:<>?@[\\]^|%\u007F";

    /// <summary>Reads an address without a base; null for what a browser refuses or would not send over HTTP.</summary>
    public static BrowserUrl? Parse(string text)
    {
        text = text.Trim([.. Enumerable.Range(0, 0x21).Select(c => (char)c)]);
        text = text.Replace("\t", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal).Replace("\r", "", StringComparison.Ordinal);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || text[..colon].ToLowerInvariant() is not ("http" or "https"))
            return null;
        var scheme = text[..colon].ToLowerInvariant();

        // Special schemes skip any number of slashes and backslashes, none at all included.
        var rest = text[(colon + 1)..].TrimStart('/', '\\');
        var end = rest.IndexOfAny(['/', '\\', '?', '#']);
        var authority = end < 0 ? rest : rest[..end];
        rest = end < 0 ? "" : rest[end..];
        authority = authority[(authority.LastIndexOf('@') + 1)..];
        var port = scheme is "https" ? 443 : 80;
        var host = authority;
        var portAt = authority.LastIndexOf(':');
        if (portAt >= 0 && portAt > authority.LastIndexOf(']'))
        {
            host = authority[..portAt];
            var digits = authority[(portAt + 1)..];
            if (digits.Length > 0 && (!digits.All(char.IsAsciiDigit) || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out port) || port > 65535))
                return null;
        }

        return HostOf(host) is { } name ? new BrowserUrl(scheme, name, port, PathOf(rest)) : null;
    }

    /// <summary>Whether it is below another: of the same origin, and its path goes on from the other's.</summary>
    public bool IsBelow(BrowserUrl other)
    {
        var prefix = other.Path is [.., ""] ? other.Path.Take(other.Path.Count - 1) : other.Path;
        return (Scheme, Host, Port) == (other.Scheme, other.Host, other.Port) && Path.Take(prefix.Count()).SequenceEqual(prefix);
    }

    private static string? HostOf(string host)
    {
        // Of the characters that browsers replace by others, those that tricks are made of: full-width forms and full stops.
        var decoded = string.Concat(Uri.UnescapeDataString(host).Select(c => c switch
        {
            >= '\uFF01' and <= '\uFF5E' => (char)(c - 0xFEE0),
            '\u3002' or '\uFF61' => '.',
            _ => c,
        }));
        string name;
        try
        {
            name = new IdnMapping { UseStd3AsciiRules = false }.GetAscii(decoded).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return null;
        }

        return name.Length == 0 || name.Any(c => c < 0x20 || ForbiddenInHosts.Contains(c, StringComparison.Ordinal)) ? null : name;
    }

    private static List<string> PathOf(string rest)
    {
        var end = rest.IndexOfAny(['?', '#']);
        var path = (end < 0 ? rest : rest[..end]).Replace('\\', '/');
        List<string> segments = [];
        var parts = path.Length == 0 ? [""] : path[1..].Split('/');
        for (var i = 0; i < parts.Length; i++)
        {
            var plain = parts[i].Replace("%2e", ".", StringComparison.OrdinalIgnoreCase);
            if (plain is ".." && segments.Count > 0)
                segments.RemoveAt(segments.Count - 1);
            if (plain is not ("." or ".."))
                segments.Add(parts[i]);
            else if (i == parts.Length - 1)
                segments.Add("");
        }

        return segments;
    }
}
