namespace BasiqFunctions.Tests.Edges;

/// <summary>The measure that return URLs are held to must itself see the tricks.</summary>
[Trait("Category", "Unit")]
public sealed class BrowserUrlTests
{
    [Theory]
    [InlineData("https://allowed.example/app", "https allowed.example 443 app")]
    [InlineData("HTTPS://ALLOWED.example:443/app/", "https allowed.example 443 app|")]
    [InlineData("https:allowed.example/app", "https allowed.example 443 app")]
    [InlineData("https:\\\\allowed.example\\app", "https allowed.example 443 app")]
    [InlineData(" ht\ntps://allowed.exa\tmple/app ", "https allowed.example 443 app")]
    [InlineData("https://allowed.example@evil.example/app", "https evil.example 443 app")]
    [InlineData("https://allowed.example\\@evil.example/app", "https allowed.example 443 @evil.example|app")]
    [InlineData("https://evil.example#@allowed.example/app", "https evil.example 443 ")]
    [InlineData("https://allowed.example%2Eevil.example/app", "https allowed.example.evil.example 443 app")]
    [InlineData("https://allowed.example。evil.example/app", "https allowed.example.evil.example 443 app")]
    [InlineData("https://ａllowed.example/app", "https allowed.example 443 app")]
    [InlineData("https://allowed.example:8443/app/../x/./y/%2e%2E/z", "https allowed.example 8443 x|z")]
    [InlineData("https://allowed.example/app/..", "https allowed.example 443 ")]
    [InlineData("https://allowed.example?x", "https allowed.example 443 ")]
    public void It_goes_where_browsers_go(string text, string expected)
    {
        var url = BrowserUrl.Parse(text)!;
        Assert.Equal(expected, $"{url.Scheme} {url.Host} {url.Port} {string.Join('|', url.Path)}");
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("//allowed.example/app")]
    [InlineData("https://")]
    [InlineData("https://allowed.example:99999/")]
    [InlineData("https://allowed.example:8x/")]
    [InlineData("https://allowed%2Fexample/")]
    public void It_refuses_what_browsers_refuse(string text) => Assert.Null(BrowserUrl.Parse(text));
}
