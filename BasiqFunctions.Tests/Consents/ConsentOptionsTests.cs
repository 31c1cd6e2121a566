using BasiqFunctions.Consents;
using BasiqFunctions.Tests.Users;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Consents;

[Trait("Category", "Unit")]
public sealed class ConsentOptionsTests
{
    [Theory]
    [InlineData("http://app.example")]
    [InlineData("app.example")]
    [InlineData("https://u@app.example")]
    [InlineData("https://app.example/#x")]
    [InlineData("https://app.example/?x=1")]
    [InlineData("*")]
    [InlineData("")]
    public void A_return_URL_that_cannot_be_meant_stops_the_start_by_the_settings_name(string url)
    {
        using var scene = new UsersScene(settings: new() { ["Consent:ReturnUrls:0"] = "https://ok.example", ["Consent:ReturnUrls:1"] = url });

        var refusal = Assert.Throws<OptionsValidationException>(() => scene.Get<IStartupValidator>().Validate());

        Assert.Contains("Consent:ReturnUrls:1", Assert.Single(refusal.Failures), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00:00:59")]
    [InlineData("1.00:00:01")]
    [InlineData("-01:00:00")]
    public void A_lifetime_that_cannot_be_meant_stops_the_start_by_the_settings_name(string lifetime)
    {
        using var scene = new UsersScene(settings: new() { ["Consent:StateLifetime"] = lifetime });

        var refusal = Assert.Throws<OptionsValidationException>(() => scene.Get<IStartupValidator>().Validate());

        Assert.Contains("Consent:StateLifetime", Assert.Single(refusal.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void No_settings_at_all_are_enough_to_start()
    {
        using var scene = new UsersScene(settings: []);

        scene.Get<IStartupValidator>().Validate();

        Assert.Empty(scene.Get<IOptions<ConsentOptions>>().Value.ReturnUrls);
    }
}
