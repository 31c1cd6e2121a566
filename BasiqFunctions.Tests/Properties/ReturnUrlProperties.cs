using BasiqFunctions.Consents;
using BasiqFunctions.Tests.Edges;
using CsCheck;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Properties;

/// <summary>Whatever return URL is accepted, a browser ends on the allowed origin, below the allowed path.</summary>
[Trait("Category", "Unit")]
[Collection(PropertyTests.Collection)]
public sealed class ReturnUrlProperties
{
    private static readonly string[] AllowList = ["https://allowed.example/app", "http://localhost:3000/back/", "https://allowed.example:8443"];

    private static readonly ReturnUrls Urls = new(Options.Create(new ConsentOptions { ReturnUrls = AllowList }));

    private static readonly BrowserUrl[] Allowed = [.. AllowList.Select(url => BrowserUrl.Parse(url)!)];

    private static readonly Gen<string> Piece = Gen.Frequency(
        (3, Gen.OneOf(
            "https", "http", "HTTPS", ":", "://", "//", "/", "\\", "@", "#", "?", "%", ".", "..", "/../", "/./", "\t", "\n", "\r", "\0", " ", "*", ";", "&", "=",
            "%2e", "%2E%2e", "%252e", "%2f", "%5c", "%25", "%40", "%3a", "%00", "%0d%0a", "%ff", "%u002e", "%c0%ae", "..;", "..%3b", "..%253B", "..%20")),
        (3, Gen.OneOf(
            "allowed.example", "ALLOWED.EXAMPLE", "allowed.example.", "evil.example", ".evil.example", "xn--llowed-8nf.example", "аllowed.example",
            "ａllowed.example", "allowed。example", "allowed%2eexample", "localhost", "127.0.0.1", "2130706433", "[::1]", "user:pw@", ":443", ":8443", ":0443", ":80", ":3000", ":")),
        (3, Gen.OneOf("app", "App", "application", "back", "backdoor", "banks", "admin", "x=1", "returnUrl=https://evil.example", "é", "。", "\u202E", "\uD83D\uDE00")),
        (1, Gen.String[0, 3]));

    /// <summary>An allowed URL with pieces put in anywhere, some of it cut out, or pieces alone.</summary>
    private static readonly Gen<string> Hostile = Gen.Frequency(
        (4, Gen.Select(Gen.OneOf(AllowList), Piece.Array[0, 3], Gen.Int[0, 60], Gen.Int[0, 4]).Select((url, pieces, at, cut) =>
        {
            var start = Math.Min(at, url.Length);
            return url[..start] + string.Concat(pieces) + url[Math.Min(url.Length, start + cut)..];
        })),
        (4, Gen.Select(Gen.OneOf(AllowList), Piece.Array[0, 4]).Select((url, pieces) => url + string.Concat(pieces))),
        (1, Piece.Array[0, 8].Select(string.Concat)));

    [Fact]
    public void Whatever_is_accepted_a_browser_ends_where_the_allow_list_says()
    {
        var (accepted, refused) = (0, 0);
        Hostile.Sample(
            text =>
            {
                if (Urls.Allowed(text) is not { } url)
                {
                    Interlocked.Increment(ref refused);
                    return;
                }

                Interlocked.Increment(ref accepted);
                foreach (var spelling in new[] { text, url.AbsoluteUri, url.AbsoluteUri + "?syncId=s" })
                {
                    var browser = BrowserUrl.Parse(spelling);
                    Assert.NotNull(browser);
                    Assert.True(Allowed.Any(browser.IsBelow), $"A browser goes to {browser}.");
                }

                Assert.True(Uri.TryCreate(url.AbsoluteUri, UriKind.Absolute, out var read));
                Assert.Contains(AllowList, allowed => new Uri(allowed).GetLeftPart(UriPartial.Authority) == read.GetLeftPart(UriPartial.Authority));
                Assert.Empty(read.UserInfo);
                Assert.All(url.AbsoluteUri, c => Assert.InRange(c, '!', '~'));
            },
            iter: 50_000,
            threads: 1,
            print: text => System.Text.Json.JsonSerializer.Serialize(text));
        Assert.True(accepted > 500 && refused > 5_000, $"Only {accepted} were accepted and {refused} refused: the URLs test too little.");
    }
}
