using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Consents;
using BasiqFunctions.Removal;
using BasiqFunctions.Tests.Users;
using Moq;

namespace BasiqFunctions.Tests.Consents;

[Trait("Category", "Unit")]
public sealed class UserConsentTests : IDisposable
{
    private static readonly UserId UserId = UsersScene.Someone;

    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Revoking_again_after_an_interruption_removes_the_data_also_when_Basiq_no_longer_lists_the_consent(bool isListed)
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Basiq.SetupSequence(b => b.DeleteConsentAsync(UserId, "x", It.IsAny<CancellationToken>()))
            .Returns(Task.CompletedTask).ThrowsAsync(Unknown);
        Consents(UsersScene.Failure(BasiqFailureKind.Unavailable, 503, "GET /users/{userId}/consents"));
        Assert.Equal(503, await RevokeAsync("x"));

        Consents(isListed ? [Consent("x", "revoked")] : []);
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync([]);
        Assert.Equal(204, await RevokeAsync("x"));

        await AssertRemovedAsync("x");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_consent_that_Basiq_has_revoked_has_ended_whatever_its_list_still_says(bool isListed)
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Basiq.Setup(b => b.DeleteConsentAsync(UserId, "x", It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);
        Consents(isListed ? [Consent("x", "active")] : []);

        Assert.Equal(204, await RevokeAsync("x"));

        await AssertRemovedAsync("x");
    }

    [Fact]
    public async Task A_consent_of_a_user_whom_Basiq_does_not_know_ends_nothing_here()
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Basiq.SetupSequence(b => b.DeleteConsentAsync(UserId, "x", It.IsAny<CancellationToken>()))
            .Returns(Task.CompletedTask).ThrowsAsync(Unknown);
        Consents(UsersScene.Failure(BasiqFailureKind.NotFound, 404, "GET /users/{userId}/consents"));

        Assert.Equal(404, await RevokeAsync("x"));
        Assert.Equal(404, await RevokeAsync("x"));

        Assert.True(_scene.HasSnapshotFiles);
        Assert.Empty(await _scene.Get<DeletionReceipts>().ListAsync(UserId, default));
    }

    [Fact]
    public async Task Revoking_a_consent_that_there_is_not_keeps_the_data_of_the_one_that_there_is()
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Basiq.Setup(b => b.DeleteConsentAsync(UserId, "none", It.IsAny<CancellationToken>())).ThrowsAsync(Unknown);
        Consents([Consent("x", "active")]);
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>()))
            .ReturnsAsync([Connection.Parse("""{"id":"c1","status":"active"}""")]);

        Assert.Equal(404, await RevokeAsync("none"));

        Assert.NotNull(await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default));
    }

    private static BasiqException Unknown => UsersScene.Failure(BasiqFailureKind.NotFound, 404, "DELETE /users/{userId}/consents/{consentId}");

    private static Consent Consent(string id, string status) => BasiqFunctions.Basiq.Models.Consent.Parse(
        $$"""{"type":"consent","id":"{{id}}","status":"{{status}}","created":"2024-01-01T00:00:00Z","expiryDate":"2025-01-01T00:00:00Z"}""");

    private void Consents(IReadOnlyList<Consent> consents) =>
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync(consents);

    private void Consents(BasiqException failure) =>
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ThrowsAsync(failure);

    private async Task<int> RevokeAsync(string consentId) =>
        (await _scene.CallAsync<UserConsentFunctions>((f, r) => f.RevokeConsent(r, UserId, consentId, _scene.Durable.Client, default))).Status;

    private async Task AssertRemovedAsync(string consentId)
    {
        Assert.Null(await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default));
        var receipt = Assert.Single(await _scene.Get<DeletionReceipts>().ListAsync(UserId, default));
        Assert.Equal((DeletionReason.ConsentRevoked, consentId, 1L), (receipt.Reason, receipt.ConsentId, receipt.Accounts));
    }
}
