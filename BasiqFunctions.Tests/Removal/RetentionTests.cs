using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Removal;
using BasiqFunctions.Tests.Users;
using Moq;

namespace BasiqFunctions.Tests.Removal;

[Trait("Category", "Unit")]
public sealed class RetentionTests : IDisposable
{
    private static readonly UserId UserId = UsersScene.Someone;

    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task A_connection_that_has_not_been_fetched_for_too_long_goes_though_another_is_fetched()
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Clock.Advance(TimeSpan.FromDays(300));
        await _scene.PublishAsync(UserId, "c2");
        Consents(Consent("x", "active"));
        Connections("c1", "c2");
        _scene.Clock.Advance(TimeSpan.FromDays(65) - TimeSpan.FromSeconds(1));
        Assert.Equal(0, (await PassAsync()).Removed);

        _scene.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, (await PassAsync()).Removed);

        Assert.Equal(["c2"], (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId.Value));
        var receipt = Assert.Single(await ReceiptsAsync());
        Assert.Equal((DeletionReason.Retention, "c1", 1L), (receipt.Reason, receipt.ConnectionId?.Value, receipt.Accounts));
    }

    [Fact]
    public async Task What_is_too_old_goes_also_when_Basiq_fails_for_its_user()
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>()))
            .ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Unavailable, 500));
        _scene.Clock.Advance(TimeSpan.FromDays(366));

        Assert.Equal(new RetentionPass(2, 1, 1), await PassAsync());
        Assert.Equal(DeletionReason.Retention, Assert.Single(await ReceiptsAsync()).Reason);
    }

    [Theory]
    [InlineData(370)]
    [InlineData(-370)]
    [InlineData(null)]
    public async Task By_a_clock_that_Basiq_s_contradicts_or_does_not_confirm_nothing_is_too_old(int? daysOff)
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents(Consent("x", "active"));
        Connections("c1");
        _scene.Clock.Advance(TimeSpan.FromDays(370));

        Assert.Equal(new RetentionPass(0, 0, 0), await _scene.PassAsync(daysOff is { } days ? TimeSpan.FromDays(days) : null));

        Assert.NotNull(await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default));
        Assert.Equal(daysOff is null ? 0 : 1, _scene.Logs.Lines.Count(line => line.Contains("[601]", StringComparison.Ordinal)));
        Assert.Contains("Daily pass put off", _scene.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_removal_for_age_that_takes_long_is_asked_for_once_a_pass()
    {
        var unreliable = new Unreliable { FailsAtSnapshots = true };
        using var scene = new UsersScene(unreliable.AddTo);
        await scene.PublishAsync(UserId, "c1");
        scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Unavailable, 500));
        scene.Clock.Advance(TimeSpan.FromDays(366));
        unreliable.Fails = true;

        Assert.Equal(new RetentionPass(2, 1, 1), await scene.PassTimeAsync(scene.PassAsync(TimeSpan.Zero)));

        unreliable.Fails = false;
        await scene.EndOfRemovalAsync(UserId);
        Assert.False(scene.HasSnapshotFiles);
        Assert.Equal(DeletionReason.Retention, Assert.Single(await scene.Get<DeletionReceipts>().ListAsync(UserId, default)).Reason);
    }

    private static Consent Consent(string id, string status, string created = "2024-01-01T00:00:00Z") =>
        BasiqFunctions.Basiq.Models.Consent.Parse(
            $$"""{"type":"consent","id":"{{id}}","status":"{{status}}","created":"{{created}}","updated":"{{created}}","expiryDate":"2030-01-01T00:00:00Z"}""");

    private void Consents(params Consent[] consents) =>
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync(consents);

    private void Connections(params string[] ids) =>
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>()))
            .ReturnsAsync([.. ids.Select(id => Connection.Parse($$"""{"id":"{{id}}"}"""))]);

    private Task<RetentionPass> PassAsync() => _scene.PassAsync(TimeSpan.Zero);

    private Task<IReadOnlyList<DeletionReceipt>> ReceiptsAsync() => _scene.Get<DeletionReceipts>().ListAsync(UserId, default);
}
