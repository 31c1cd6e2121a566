using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Removal;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Users;
using Moq;

namespace BasiqFunctions.Tests.Consents;

/// <summary>Whether a sync may bring data, asked of Basiq only where data went before.</summary>
[Trait("Category", "Unit")]
public sealed class ConsentCheckTests : IDisposable
{
    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    // Basiq is a strict mock: that it is asked would fail.
    [Fact]
    public async Task Of_a_user_whose_data_never_went_Basiq_is_not_asked() => Assert.False(await HasEndedAsync());

    [Theory]
    [InlineData(null, true)]
    [InlineData("""{"id":"b","status":"revoked"}""", true)]
    [InlineData("""{"id":"b","status":"Expired"}""", true)]
    [InlineData("""{"id":"b","status":"active","expiryDate":"2024-05-01T00:00:00Z"}""", false)]
    [InlineData("""{"id":"b","status":"active","expiryDate":"2030-01-01T00:00:00Z"}""", false)]
    public async Task Of_a_user_whose_data_went_it_depends_on_the_consents_of_now(string? other, bool hasEnded)
    {
        await _scene.PublishAsync(UsersScene.Someone, "c1");
        await _scene.Get<Removals>().RunAsync(
            _scene.Durable.Client, UsersScene.Someone, null, new DeletionCause(DeletionReason.ConsentRevoked, "a"));
        string[] consents = ["""{"id":"a","status":"revoked"}""", .. other is null ? Array.Empty<string>() : [other]];
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UsersScene.Someone, It.IsAny<CancellationToken>()))
            .ReturnsAsync([.. consents.Select(Consent.Parse)]);

        Assert.Equal(hasEnded, await HasEndedAsync());
    }

    private Task<bool> HasEndedAsync() =>
        Assert.Single(_scene.Get<IEnumerable<IConsentCheck>>()).HasEndedAsync(_scene.Durable.Client, UsersScene.Someone, CancellationToken.None);
}
