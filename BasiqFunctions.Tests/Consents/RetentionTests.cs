using BasiqFunctions.Basiq;
using BasiqFunctions.Consents;
using BasiqFunctions.Storage;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Users;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Moq;

namespace BasiqFunctions.Tests.Consents;

[Trait("Category", "Unit")]
public sealed class RetentionTests : IDisposable
{
    private const string UserId = UsersScene.UserId;

    private readonly Unreliable _unreliable = new();
    private readonly UsersScene _scene;

    public RetentionTests() => _scene = new(services => services.AddSingleton<IKeptOfUser>(_unreliable));

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task A_removal_that_stopped_after_the_snapshots_were_gone_is_finished_by_the_next_pass()
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        Consents(Consent("x", "expired"));
        _unreliable.Fails = true;
        Assert.Equal(new RetentionPass(1, 0, 1), await PassAsync());
        Assert.False(_scene.HasSnapshotFiles);
        Assert.Empty(await ReceiptsAsync());

        _unreliable.Fails = false;
        _scene.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(new RetentionPass(1, 1, 0), await PassAsync());

        var receipt = Assert.Single(await ReceiptsAsync());
        Assert.Equal((DeletionReason.ConsentExpired, "x", 2L, 2L), (receipt.Reason, receipt.ConsentId, receipt.Accounts, receipt.Connections));
        Assert.Equal(new RetentionPass(0, 0, 0), await PassAsync());
    }

    [Fact]
    public async Task A_removal_that_stopped_half_way_is_finished_though_a_consent_was_given_since_and_what_was_fetched_under_that_stays()
    {
        await StopHalfWayAsync();
        Consents(Consent("x", "revoked"), Consent("y", "active", created: "2024-06-01T13:00:00Z"));
        Connections("c2");
        _scene.Clock.Advance(TimeSpan.FromHours(2));
        await _scene.PublishAsync(UserId, "c2");

        Assert.Equal(new RetentionPass(1, 1, 0), await PassAsync());

        Assert.Equal(["c2"], (await _scene.Snapshots.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId));
        Assert.Equal(("x", 1L), Assert.Single((await ReceiptsAsync()).Select(r => (r.ConsentId, r.Accounts))));
        Assert.Equal(new RetentionPass(1, 0, 0), await PassAsync());
    }

    [Fact]
    public async Task A_removal_that_stopped_half_way_waits_for_a_sync_under_a_new_consent()
    {
        await StopHalfWayAsync();
        Consents(Consent("x", "revoked"), Consent("y", "active", created: "2024-06-01T13:00:00Z"));
        Connections();
        var running = SyncId.For(UserId, ["j2"]);
        _scene.Durable.Set(running, OrchestrationRuntimeStatus.Running);

        Assert.Equal(new RetentionPass(1, 0, 0), await PassAsync());
        Assert.Empty(_scene.Durable.Events);

        _scene.Durable.Set(running, OrchestrationRuntimeStatus.Completed);
        Assert.Equal(new RetentionPass(1, 1, 0), await PassAsync());
        Assert.Single(await ReceiptsAsync());
    }

    [Fact]
    public async Task What_was_fetched_after_a_removal_stopped_half_way_has_a_receipt_of_its_own_when_it_goes()
    {
        await StopHalfWayAsync();
        _scene.Clock.Advance(TimeSpan.FromHours(2));
        await _scene.PublishAsync(UserId, "c2", "c3", "c4");
        _scene.Clock.Advance(TimeSpan.FromHours(2));
        Consents(Consent("x", "revoked"), Consent("y", "expired", created: "2024-06-01T13:00:00Z"));

        await _scene.Get<ConsentEnd>().RunAsync(_scene.Durable.Client, UserId, "y", default);

        Assert.Equal(
            [(DeletionReason.ConsentExpired, "y", 3L), (DeletionReason.ConsentRevoked, "x", 1L)],
            (await ReceiptsAsync()).Select(r => (r.Reason, r.ConsentId!, r.Accounts!.Value)));
        Assert.Null(await _scene.Get<DeletionReceipts>().FindUnderWayAsync(UserId, null, default));
    }

    [Fact]
    public async Task The_removal_of_a_connection_that_stopped_half_way_is_finished_by_the_next_pass()
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        Consents(Consent("y", "active"));
        Connections("c2");
        _unreliable.Fails = true;
        Assert.Equal(1, (await PassAsync()).Failed);
        Assert.Equal(["c2"], (await _scene.Snapshots.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId));

        _unreliable.Fails = false;
        Assert.Equal(new RetentionPass(1, 1, 0), await PassAsync());

        Assert.Equal(("c1", 1L), Assert.Single((await ReceiptsAsync()).Select(r => (r.ConnectionId, r.Accounts))));
        Assert.NotNull(await _scene.Snapshots.GetCurrentAsync(UserId, default));
    }

    [Fact]
    public async Task A_user_whose_sync_was_slow_to_stop_is_looked_after_until_its_history_is_gone()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents(Consent("x", "revoked"));
        var slow = SyncId.For(UserId, ["j1"]);
        _scene.Durable.Set(slow, OrchestrationRuntimeStatus.Running);
        _scene.Durable.AfterEvent = id =>
        {
            _scene.Durable.Set(id, OrchestrationRuntimeStatus.Running);
            return Task.CompletedTask;
        };
        var ending = _scene.Get<ConsentEnd>().RunAsync(_scene.Durable.Client, UserId, "x", default);
        while (!ending.IsCompleted)
        {
            _scene.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1);
        }

        Assert.False((await ending).IsComplete);

        _scene.Durable.Set(slow, OrchestrationRuntimeStatus.Completed);
        Assert.Equal(1, (await PassAsync()).Users);

        Assert.Empty(_scene.Durable.Instances);
        Assert.Equal(0, (await PassAsync()).Users);
    }

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

        _scene.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, (await PassAsync()).Removed);

        Assert.Equal(["c2"], (await _scene.Snapshots.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId));
        var receipt = Assert.Single(await ReceiptsAsync());
        Assert.Equal((DeletionReason.Retention, "c1", 1L), (receipt.Reason, receipt.ConnectionId, receipt.Accounts));
    }

    [Fact]
    public async Task What_is_too_old_goes_also_when_Basiq_fails_for_its_user()
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>()))
            .ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Unavailable, 500));
        _scene.Clock.Advance(TimeSpan.FromDays(365));

        Assert.Equal(new RetentionPass(1, 1, 0), await PassAsync());
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
        if (daysOff is { } days)
            _scene.Get<ClockCheck>().Note(_scene.Clock.GetUtcNow() - TimeSpan.FromDays(days));

        Assert.Equal(0, (await _scene.Get<Retention>().RunAsync(_scene.Durable.Client, default)).Removed);

        Assert.NotNull(await _scene.Snapshots.GetCurrentAsync(UserId, default));
        Assert.Equal(daysOff is null ? 0 : 1, _scene.Logs.Lines.Count(line => line.Contains("[601]", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_pass_that_is_cut_short_is_gone_on_with_by_the_next_so_that_everybody_has_a_turn()
    {
        const int Users = 80;
        for (var i = 0; i < Users; i++)
            await _scene.PublishAsync($"user-{i:D3}", "c1");
        Dictionary<string, int> looks = new(StringComparer.Ordinal);
        using var always = new CancellationTokenSource();
        var (left, timeout) = (0, always);
        _scene.Basiq.Setup(b => b.ListConsentsAsync(It.IsAny<string>(), It.IsAny<CancellationToken>()))
            .Returns(async (string userId, CancellationToken cancellation) =>
            {
                lock (looks)
                {
                    if (--left == 0)
                        timeout.Cancel();
                    cancellation.ThrowIfCancellationRequested();
                    looks[userId] = looks.GetValueOrDefault(userId) + 1;
                }

                await Task.Yield();
                return [Consent("x", "active")];
            });
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(It.IsAny<string>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync([Connection.Parse("""{"id":"c1","status":"active"}""")]);

        for (var pass = 0; pass < 3; pass++)
        {
            using var timer = new CancellationTokenSource();
            (left, timeout) = (42, timer);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => _scene.Get<Retention>().RunAsync(_scene.Durable.Client, timer.Token));
        }

        Assert.Equal(Users, looks.Count);

        // Left alone, a pass looks after everybody once, wherever it begins.
        looks.Clear();
        (left, timeout) = (int.MaxValue, always);
        Assert.Equal(Users, (await PassAsync()).Users);
        Assert.Equal((Users, 1), (looks.Count, looks.Values.Max()));
    }

    /// <summary>A removal under consent x, of one account, that died once the snapshots were gone.</summary>
    private async Task StopHalfWayAsync()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents(Consent("x", "revoked"));
        _unreliable.Fails = true;
        await Assert.ThrowsAsync<IOException>(() => _scene.Get<ConsentEnd>().RunAsync(_scene.Durable.Client, UserId, "x", default));
        _unreliable.Fails = false;
    }

    private static Consent Consent(string id, string status, string created = "2024-01-01T00:00:00Z") =>
        BasiqFunctions.Basiq.Consent.Parse(
            $$"""{"type":"consent","id":"{{id}}","status":"{{status}}","created":"{{created}}","updated":"{{created}}","expiryDate":"2030-01-01T00:00:00Z"}""");

    private void Consents(params Consent[] consents) =>
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync(consents);

    private void Connections(params string[] ids) =>
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>()))
            .ReturnsAsync([.. ids.Select(id => Connection.Parse($$"""{"id":"{{id}}"}"""))]);

    private Task<RetentionPass> PassAsync()
    {
        _scene.Get<ClockCheck>().Note(_scene.Clock.GetUtcNow());
        return _scene.Get<Retention>().RunAsync(_scene.Durable.Client, default);
    }

    private Task<IReadOnlyList<DeletionReceipt>> ReceiptsAsync() => _scene.Get<DeletionReceipts>().ListAsync(UserId, default);

    /// <summary>Something kept of users whose removal fails as long as a test says so.</summary>
    private sealed class Unreliable : IKeptOfUser
    {
        public bool Fails { get; set; }

        public Task RemoveUserAsync(string userId, CancellationToken cancellation) => FailAsync();

        public Task RemoveConnectionAsync(string userId, string connectionId, CancellationToken cancellation) => FailAsync();

        private Task FailAsync() => Fails ? throw new IOException("storage is away") : Task.CompletedTask;
    }
}
