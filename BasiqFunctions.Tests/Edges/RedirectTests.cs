using System.Net;
using System.Net.Http.Json;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Edges;

/// <summary>No answer sends a browser to a place that the allow list lacks.</summary>
[Trait("Category", "Journeys")]
public sealed class RedirectTests
{
    private const string Allowed = "https://app.example.com/banks";

    [Theory]
    [InlineData("https:app.example.com/banks")]
    [InlineData("https:/app.example.com/banks")]
    [InlineData("https:///app.example.com/banks")]
    [InlineData("////app.example.com/banks")]
    [InlineData("https://app.example.com\t/banks")]
    [InlineData("https://app.example.com/banks\n")]
    [InlineData("\thttps://app.example.com/banks")]
    [InlineData("ht\ntps://app.example.com/banks")]
    [InlineData("https://app.example.com/banks\r\nLocation: https://evil.example")]
    [InlineData("https://app.example.com%0d%0a.evil.example/banks")]
    [InlineData("https://user@app.example.com/banks")]
    [InlineData("https://user:pw@app.example.com/banks")]
    [InlineData("https://app.example.com%40evil.example/banks")]
    [InlineData("https://app.example.com%2540evil.example/banks")]
    [InlineData("https://evil.example/@app.example.com/banks")]
    [InlineData("https://evil.example\\.app.example.com/banks")]
    [InlineData("https://app.example.com\\@evil.example/banks")]
    [InlineData("https://evil.example?https://app.example.com/banks")]
    [InlineData("https://evil.example#.app.example.com/banks")]
    [InlineData("https://app.example.com:443@evil.example/banks")]
    [InlineData("https://app.example.com:8443/banks")]
    [InlineData("https://app.example.com:0/banks")]
    [InlineData("https://app.example.com:4430/banks")]
    [InlineData("https://app.example.com:99999/banks")]
    [InlineData("https://app.example.com:-443/banks")]
    [InlineData("https://app.example.com./banks")]
    [InlineData("https://app.example.com../banks")]
    [InlineData("https://.app.example.com/banks")]
    [InlineData("https://app.example.com.evil.example/banks")]
    [InlineData("https://app.example.comevil.example/banks")]
    [InlineData("https://evilapp.example.com/banks")]
    [InlineData("https://app.example.co/banks")]
    [InlineData("https://аpp.example.com/banks")]
    [InlineData("https://app.example.cоm/banks")]
    [InlineData("https://ａpp.example.com/banks")]
    [InlineData("https://app。example。com/banks")]
    [InlineData("https://app%2eexample%2ecom/banks")]
    [InlineData("https://xn--pp-7lc.example.com/banks")]
    [InlineData("https://app.example.com/banks/../evil")]
    [InlineData("https://app.example.com/banks/..")]
    [InlineData("https://app.example.com/banks/..;/evil")]
    [InlineData("https://app.example.com/banks/%2e%2e/evil")]
    [InlineData("https://app.example.com/banks/%2E%2E%2Fevil")]
    [InlineData("https://app.example.com/banks/%252e%252e/evil")]
    [InlineData("https://app.example.com/banks/%25252e%25252e/evil")]
    [InlineData("https://app.example.com/banks/..%5cevil")]
    [InlineData("https://app.example.com/banks%2f..%2fevil")]
    [InlineData("https://app.example.com/banks\\..\\evil")]
    [InlineData("https://app.example.com/evil/../banks/../evil")]
    [InlineData("https://app.example.com//banks")]
    [InlineData("https://app.example.com/Banks")]
    [InlineData("https://app.example.com/banks#evil")]
    [InlineData("https://app.example.com")]
    [InlineData("https://app.example.com/")]
    [InlineData("view-source:https://app.example.com/banks")]
    [InlineData("vbscript:x")]
    [InlineData("data:text/html,https://app.example.com/banks")]
    [InlineData("blob:https://app.example.com/banks")]
    [InlineData("http://localhost/banks")]
    [InlineData("")]
    [InlineData(" ")]
    public async Task A_return_URL_that_only_looks_allowed_gets_no_link(string returnUrl)
    {
        await using var app = await AppUnderTest.StartAsync([$"Consent:ReturnUrls:0={Allowed}"]);

        using var answer = await app.Api.PostAsJsonAsync("users/u/consent-link", new { returnUrl });

        var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-input");
        Assert.Equal(["returnUrl"], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name));
    }

    [Theory]
    [InlineData("https://app.example.com/banks")]
    [InlineData("HTTPS://APP.example.com:443/banks/")]
    [InlineData("https://app.example.com/banks/a//b/./c")]
    [InlineData("https://app.example.com/banks/a/../b")]
    [InlineData("https://app.example.com/banks?next=https://evil.example/&syncId=evil")]
    [InlineData("https://app.example.com/banks?a=%0d%0aSet-Cookie:%20b=c")]
    [InlineData("https://app.example.com/banks/@evil.example")]
    [InlineData("https://app.example.com/banks/https://evil.example")]
    public async Task A_browser_that_comes_back_goes_where_the_allow_list_says(string returnUrl)
    {
        await using var app = await AppUnderTest.StartAsync([$"Consent:ReturnUrls:0={Allowed}"]);
        var userId = await app.CreateUserAsync();
        var back = await app.ConsentAsync(await app.CreateConsentLinkAsync(userId, new { returnUrl }), "jared");

        // What the query may say of other places is not listened to.
        foreach (var query in new[] { "", "&returnUrl=https://evil.example", "&redirect_uri=https://evil.example", "&syncId=//evil.example" })
        {
            using var answer = await app.Api.GetAsync(new Uri(back.AbsoluteUri + query));
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
            var location = answer.Headers.GetValues("Location").Single();
            Assert.True(BrowserUrl.Parse(location)!.IsBelow(BrowserUrl.Parse(Allowed)!), location);
            Assert.StartsWith($"{Allowed}", location, StringComparison.Ordinal);
            Assert.Matches(@"[?&]syncId=sync-[0-9a-f]{16}-[0-9a-f]{16}$", location);
            Assert.False(answer.Headers.Contains("Set-Cookie"));
        }
    }
}
