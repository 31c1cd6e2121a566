using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Consents;
using BasiqFunctions.Tests.Users;
using Moq;

namespace BasiqFunctions.Tests.Consents;

[Trait("Category", "Unit")]
public sealed class ClientTokenTests : IDisposable
{
    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task Every_request_gets_a_token_of_its_own_that_no_cache_keeps()
    {
        var minted = 0;
        _scene.Basiq.Setup(b => b.CreateClientTokenAsync(It.IsAny<UserId>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((UserId user, CancellationToken _) =>
                new ClientToken { AccessToken = $"token-{user}-{++minted}", TokenType = "Bearer", ExpiresIn = 3600 });

        var first = await Mint("user-1");

        Assert.Equal((200, "no-store"), (first.Status, first.Headers.CacheControl.ToString()));
        Assert.Equal("""{"access_token":"token-user-1-1","token_type":"Bearer","expires_in":3600}""", first.Body);
        Assert.Equal("token-user-1-2", (await Mint("user-1")).Json.GetProperty("access_token").GetString());
        Assert.Equal("token-user-2-3", (await Mint("user-2")).Json.GetProperty("access_token").GetString());
        Assert.DoesNotContain("token-user", _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_that_Basiq_does_not_know_is_not_found()
    {
        _scene.Basiq.Setup(b => b.CreateClientTokenAsync(new("user-1"), It.IsAny<CancellationToken>()))
            .ThrowsAsync(UsersScene.Failure(BasiqFailureKind.NotFound, 404, "GET /users/{userId}"));

        (await Mint("user-1")).IsProblem(404, "user-not-found");
    }

    private Task<Answer> Mint(string userId) =>
        _scene.CallAsync<ClientTokenFunctions>((f, r) => f.CreateClientToken(r, userId, default));
}
