using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Consents;
using BasiqFunctions.Tests.Users;
using Microsoft.AspNetCore.WebUtilities;
using Moq;

namespace BasiqFunctions.Tests.Consents;

[Trait("Category", "Unit")]
public sealed class ConsentLinkTests : IDisposable
{
    private const string Token = "client+token/with=odd&characters";

    private readonly UsersScene _scene = new();

    public ConsentLinkTests() =>
        _scene.Basiq.Setup(b => b.CreateClientTokenAsync(UsersScene.Someone, It.IsAny<CancellationToken>()))
            .ReturnsAsync(new ClientToken { AccessToken = Token, TokenType = "Bearer", ExpiresIn = 3600 });

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("""{"action":null,"returnUrl":null}""")]
    public async Task A_first_consent_needs_no_body(string? body)
    {
        var answer = await Link(body);

        Assert.Equal((200, "no-store"), (answer.Status, answer.Headers.CacheControl.ToString()));
        Assert.Equal(_scene.Clock.GetUtcNow().AddHours(1), answer.Json.GetProperty("expiresAt").GetDateTimeOffset());
        var url = new Uri(answer.Json.GetProperty("url").GetString()!);
        Assert.Equal("https://consent.basiq.io/home", url.GetLeftPart(UriPartial.Path));
        var query = QueryHelpers.ParseQuery(url.Query);
        Assert.Equal(["token", "state"], query.Keys);
        Assert.Equal(Token, query["token"]);
        Assert.Equal(
            UsersScene.Someone, (await _scene.Get<ConsentStates>().VerifyAsync(query["state"], default))!.UserId);
    }

    [Fact]
    public async Task What_is_asked_for_stands_in_the_link_and_the_return_URL_only_in_the_state()
    {
        var answer = await Link("""
            {"action":"reauthorise","connectionId":"connection-1","institutionId":"AU00000","returnUrl":"https://app.example/banks?tab=2"}
            """);

        var query = QueryHelpers.ParseQuery(new Uri(answer.Json.GetProperty("url").GetString()!).Query);
        Assert.Equal(["token", "state", "action", "institutionId", "connectionId"], query.Keys);
        Assert.Equal(
            ["reauthorise", "AU00000", "connection-1"],
            ((string[])["action", "institutionId", "connectionId"]).Select(name => query[name].ToString()));
        Assert.Equal(
            "https://app.example/banks?tab=2", (await _scene.Get<ConsentStates>().VerifyAsync(query["state"], default))!.ReturnUrl);
    }

    [Theory]
    [InlineData("connect", false)]
    [InlineData("manage", true)]
    [InlineData("extend", true)]
    public async Task The_state_says_whether_a_bank_is_to_be_connected(string action, bool connectsNoBank)
    {
        var answer = await Link($$"""{"action":"{{action}}"}""");

        var query = QueryHelpers.ParseQuery(new Uri(answer.Json.GetProperty("url").GetString()!).Query);
        Assert.Equal(connectsNoBank, (await _scene.Get<ConsentStates>().VerifyAsync(query["state"], default))!.ConnectsNoBank);
    }

    [Fact]
    public async Task Neither_token_nor_state_is_logged()
    {
        var url = (await Link("{}")).Json.GetProperty("url").GetString()!;
        var state = QueryHelpers.ParseQuery(new Uri(url).Query)["state"].ToString();

        foreach (var secret in (string[])[Token, Uri.EscapeDataString(Token), state, state.Split('.')[0], state.Split('.')[1]])
            Assert.DoesNotContain(secret, _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"action":"delete"}""", "action")]
    [InlineData("""{"action":"Connect"}""", "action")]
    [InlineData("""{"action":""}""", "action")]
    [InlineData("""{"action":1}""", "action")]
    [InlineData("""{"action":"update"}""", "connectionId")]
    [InlineData("""{"action":"reauthorise"}""", "connectionId")]
    [InlineData("""{"connectionId":"connection-1"}""", "connectionId")]
    [InlineData("""{"action":"connect","connectionId":"connection-1"}""", "connectionId")]
    [InlineData("""{"action":"update","connectionId":"a/b"}""", "connectionId")]
    [InlineData("""{"institutionId":"AU0000"}""", "institutionId")]
    [InlineData("""{"institutionId":"au00000"}""", "institutionId")]
    [InlineData("""{"institutionId":"AU00000\n"}""", "institutionId")]
    [InlineData("""{"returnUrl":"https://evil.example"}""", "returnUrl")]
    [InlineData("""{"returnUrl":"https://app.example.evil.com/banks"}""", "returnUrl")]
    [InlineData("""{"returnUrl":"javascript:alert(1)"}""", "returnUrl")]
    [InlineData("""{"returnUrl":""}""", "returnUrl")]
    [InlineData("""{"state":"mine"}""", "state")]
    [InlineData("[]", "body")]
    public async Task A_field_that_is_wrong_is_named_and_no_token_minted(string body, string field)
    {
        (await Link(body)).Names(field);

        _scene.Basiq.Verify(b => b.CreateClientTokenAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>()), Times.Never);
    }

    [Fact]
    public async Task Without_Key_Vault_and_a_key_in_memory_there_is_no_link_and_a_time_to_come_back()
    {
        _scene.Vault.IsDown = true;

        var answer = await Link("{}");

        answer.IsProblem(503, "dependency-unavailable");
        Assert.Equal("10", answer.Headers.RetryAfter);
    }

    private Task<Answer> Link(string? body) =>
        _scene.CallAsync<ConsentFunctions>((f, r) => f.CreateConsentLink(r, UsersScene.Someone, default), body);
}
