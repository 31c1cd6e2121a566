using BasiqFunctions.Consents;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Consents;

[Trait("Category", "Unit")]
public sealed class ReturnUrlTests
{
    private static readonly ReturnUrls Urls = new(Options.Create(new ConsentOptions
    {
        ReturnUrls = ["https://allowed.example/app", "https://root.example", "http://localhost:3000/back/"],
    }));

    [Theory]
    [InlineData("https://allowed.example/app")]
    [InlineData("https://allowed.example/app/")]
    [InlineData("https://allowed.example/app/banks?x=1&y=%20")]
    [InlineData("https://allowed.example/app?x=https://evil.example")]
    [InlineData("https://allowed.example:443/app")]
    [InlineData("HTTPS://ALLOWED.example/app")]
    [InlineData("https://allowed.example/app/a;b=1/c%3bd")]
    [InlineData("https://allowed.example/app/...%3b/caf%c3%a9%20x")]
    [InlineData("https://root.example")]
    [InlineData("https://root.example/any/where")]
    [InlineData("http://localhost:3000/back")]
    [InlineData("http://localhost:3000/back/x")]
    public void A_URL_below_an_allowed_one_is_taken(string url) => Assert.NotNull(Urls.Allowed(url));

    [Theory]
    [InlineData("https://allowed.example.evil.com/app")]
    [InlineData("https://allowed.example@evil.com/app")]
    [InlineData("https://user:pw@allowed.example/app")]
    [InlineData("https://@allowed.example/app")]
    [InlineData("https://evil.com/https://allowed.example/app")]
    [InlineData("https://evil.com#@allowed.example/app")]
    [InlineData("https://evil.com\\@allowed.example/app")]
    [InlineData("https:\\\\allowed.example/app")]
    [InlineData("https://allowed.example\\.evil.com/app")]
    [InlineData("https://allowed.example/app\\..\\..")]
    [InlineData("//allowed.example/app")]
    [InlineData("//evil.com")]
    [InlineData("/app")]
    [InlineData("app")]
    [InlineData("")]
    [InlineData("https:allowed.example/app")]
    [InlineData("https:/allowed.example/app")]
    [InlineData("https:///allowed.example/app")]
    [InlineData("https%3A%2F%2Fallowed.example/app")]
    [InlineData("javascript:alert(1)//https://allowed.example/app")]
    [InlineData("data:text/html,x")]
    [InlineData("file:///app")]
    [InlineData("http://allowed.example/app")]
    [InlineData("https://allowed.example:444/app")]
    [InlineData("https://allowed.example:80/app")]
    [InlineData("https://sub.allowed.example/app")]
    [InlineData("https://allowed.example./app")]
    [InlineData("https://allowed.example%2eevil.com/app")]
    [InlineData("https://allowed.example。evil.com/app")]
    [InlineData("https://аllowed.example/app")]
    [InlineData("https://allowed.example/application")]
    [InlineData("https://allowed.example/App")]
    [InlineData("https://allowed.example/")]
    [InlineData("https://allowed.example/app/../admin")]
    [InlineData("https://allowed.example/app/%2e%2e/admin")]
    [InlineData("https://allowed.example/app/%2E./admin")]
    [InlineData("https://allowed.example/app/..%2fadmin")]
    [InlineData("https://allowed.example/app/..%5Cadmin")]
    [InlineData("https://allowed.example/app/%252e%252e%252fadmin")]
    [InlineData("https://allowed.example/app/..;/admin")]
    [InlineData("https://allowed.example/app/..;x=1/admin")]
    [InlineData("https://allowed.example/app/..%3b/admin")]
    [InlineData("https://allowed.example/app/..%3B/admin")]
    [InlineData("https://allowed.example/app/..%253b/admin")]
    [InlineData("https://allowed.example/app/%2e.%3b/admin")]
    [InlineData("https://allowed.example/app/.%3bx/admin")]
    [InlineData("https://allowed.example/app/..%3b")]
    [InlineData("https://allowed.example/app/..%20/admin")]
    [InlineData("https://allowed.example/app/..%00/admin")]
    [InlineData("https://allowed.example/app/..%09/admin")]
    [InlineData("https://allowed.example/app/%c0%ae%c0%ae/admin")]
    [InlineData("https://allowed.example/app/%u002e%u002e/admin")]
    [InlineData("https://allowed.example/app#token")]
    [InlineData("https://allowed.example/app\r\nSet-Cookie: a=b")]
    [InlineData("https://allowed.example/app\n")]
    [InlineData(" https://allowed.example/app")]
    [InlineData("https://allowed.example/app\t")]
    [InlineData("https://allowed.example/app\0")]
    [InlineData("http://localhost/back")]
    [InlineData("http://localhost:3000/backdoor")]
    [InlineData("http://127.0.0.1:3000/back")]
    [InlineData("https://localhost:3000/back")]
    public void A_URL_that_only_looks_allowed_is_refused(string url) => Assert.Null(Urls.Allowed(url));

    [Fact]
    public void A_URL_that_is_too_long_for_a_state_is_refused()
    {
        var url = "https://root.example/" + new string('a', 1003);
        Assert.NotNull(Urls.Allowed(url));
        Assert.Null(Urls.Allowed(url + "a"));
    }

    [Fact]
    public void Without_an_allow_list_nothing_is_taken() =>
        Assert.Null(new ReturnUrls(Options.Create(new ConsentOptions())).Allowed("https://allowed.example/app"));
}
