using System.Text.Json;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using BasiqFunctions.Reports;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Users;
using BasiqFunctions.Users;
using Microsoft.DurableTask.Client;
using Moq;

namespace BasiqFunctions.Tests.Removal;

/// <summary>Removals that something interrupts: storage that is away once the snapshots are gone, and a sync that is slow to stop.</summary>
[Trait("Category", "Unit")]
public sealed class RemovalTests : IDisposable
{
    private static readonly UserId UserId = UsersScene.Someone;

    private readonly Unreliable _unreliable = new();
    private readonly UsersScene _scene;

    public RemovalTests() => _scene = new(_unreliable.AddTo);

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task One_that_is_interrupted_ends_by_itself_and_its_receipt_counts_what_was_there_at_first()
    {
        await StopHalfWayAsync("c1", "c2");
        Assert.False(_scene.HasSnapshotFiles);
        Assert.Empty(await ReceiptsAsync());

        await EndAsync();

        var receipt = Assert.Single(await ReceiptsAsync());
        Assert.Equal((DeletionReason.ConsentRevoked, "x", 2L, 2L), (receipt.Reason, receipt.ConsentId, receipt.Accounts, receipt.Connections));
        Assert.True(receipt.RemovedAt > receipt.BegunAt);
    }

    [Fact]
    public async Task What_is_fetched_under_a_new_consent_meanwhile_stays()
    {
        _unreliable.FailsAtSnapshots = true;
        await StopHalfWayAsync("c1");
        await _unreliable.SpareAsync(() => _scene.PublishByAsync("sync-later", UserId, "c2"));
        Assert.Equal(2, (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts.Count);

        // A try that looked before that is not to be the one that succeeds: a sync that runs would have held it up.
        await _unreliable.FailsAgainAsync(_scene.Clock);
        await EndAsync();

        Assert.Equal(["c2"], (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId.Value));
        Assert.Equal(("x", 1L), Assert.Single((await ReceiptsAsync()).Select(r => (r.ConsentId, r.Accounts))));
    }

    [Fact]
    public async Task One_whose_place_another_takes_at_the_same_moment_waits_for_the_end_of_that()
    {
        var other = new RemovalInput(UserId, null, new DeletionCause(DeletionReason.ConsentRevoked, "x"), "of-the-other");
        var receipt = new DeletionReceipt("of-the-other", UserId, DeletionReason.ConsentRevoked, "x", null, 2, 2, 1, 0, default, default);
        var looks = 0;
        var client = new Mock<DurableTaskClient>("test");
        client.Setup(c => c.GetInstanceAsync(It.IsAny<string>(), true, It.IsAny<CancellationToken>())).ReturnsAsync((string id, bool _, CancellationToken _) => ++looks == 1
            ? null
            : new OrchestrationMetadata("RemoveData", id)
            {
                RuntimeStatus = looks < 5 ? OrchestrationRuntimeStatus.Running : OrchestrationRuntimeStatus.Completed,
                SerializedInput = JsonSerializer.Serialize(other),
                SerializedOutput = JsonSerializer.Serialize(new RemovalOutcome(receipt)),
            });

        var asked = await _scene.Get<Removals>().RunAsync(client.Object, UserId, null, other.Cause);

        Assert.Equal((5, true, "of-the-other"), (looks, asked.HasEnded, asked.ReceiptId));
        Assert.NotNull(asked.Receipt);
    }

    [Fact]
    public async Task What_a_new_sync_publishes_at_the_very_moment_stays()
    {
        await _scene.PublishAsync(UserId, "c1");
        _unreliable.OnceRemoved = () =>
        {
            _scene.Clock.Advance(TimeSpan.FromSeconds(1));
            return _scene.PublishByAsync("sync-later", UserId, "c2");
        };

        await _scene.PassTimeAsync(RunAsync(null, DeletionReason.ConsentRevoked));
        await EndAsync();

        Assert.Equal(["c2"], (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId.Value));
        Assert.Equal(1L, Assert.Single(await ReceiptsAsync()).Accounts);
    }

    [Fact]
    public async Task A_report_begun_under_a_new_consent_meanwhile_stays_for_its_time_and_earlier_ones_go()
    {
        var reports = _scene.Get<ReportStore>();
        await _scene.Get<DueWork>().BeginAsync(default);
        await KeptAsync("earlier00001", "user-2", UserId);
        await KeptAsync("earlier00002", UserId);
        await StopHalfWayAsync("c1");
        await _scene.RestartEngineAsync();
        Consents("""{"id":"x","status":"revoked"}""", """{"id":"y","status":"active"}""");
        var later = await KeptAsync("later0000001", UserId, "user-3");
        await reports.AskAsync(Report("later0000002", UserId), new ReportRequest("affordability"), default);

        await EndAsync();

        Assert.Equal([later.ReportId], (await reports.ListAsync(UserId, default)).Select(report => report.ReportId));
        Assert.Empty(await reports.ListAsync(new("user-2"), default));
        Assert.NotNull(await reports.ReadAsync(later, ReportPart.Json, default));
        Assert.True(await reports.BeginAsync(Report("later0000002", UserId), default));
        Assert.Equal(2, Assert.Single(await ReceiptsAsync()).Reports);
        _scene.Clock.Advance(TimeSpan.FromDays(31));
        await _scene.PassAsync(TimeSpan.Zero);
        Assert.Empty(await reports.ListAsync(UserId, default));
        Assert.False(_scene.HasSnapshotFiles);

        KeptReport Report(string reportId, params string[] userIds) => new(new(reportId), [.. userIds.Select(user => new UserId(user))], "affordability", _scene.Clock.GetUtcNow(), ReportState.InProgress);

        async Task<KeptReport> KeptAsync(string reportId, params string[] userIds)
        {
            var report = Report(reportId, userIds);
            await reports.AskAsync(report, new ReportRequest("affordability"), default);
            Assert.True(await reports.BeginAsync(report, default));
            await reports.WriteAsync(report, ReportPart.Json, "{}"u8.ToArray(), default);
            return report;
        }
    }

    [Fact]
    public async Task A_bank_that_is_connected_again_meanwhile_stays()
    {
        await _scene.PublishAsync(UserId, "c1");
        _unreliable.FailsAtSnapshots = _unreliable.Fails = true;
        Assert.False((await _scene.PassTimeAsync(RunAsync("c1", DeletionReason.ConnectionDeleted))).HasEnded);
        await _unreliable.SpareAsync(() => _scene.PublishByAsync("sync-later", UserId, "c1"));

        await EndAsync("c1");

        Assert.Single((await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts);
        Assert.Equal(("c1", 1L), Assert.Single((await ReceiptsAsync()).Select(r => (r.ConnectionId?.Value, r.Accounts))));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("c1")]
    public async Task What_was_fetched_before_the_clock_was_set_back_goes(string? connectionId)
    {
        await _scene.Snapshots.Staging.StageAccountsAsync(UserId, new("sync-earlier"), ["""{"id":"a","connection":"c1"}"""u8.ToArray()], default);
        await _scene.Snapshots.Publisher.PublishAsync(
            new SnapshotPublication(
                UserId, new("sync-earlier"), _scene.Clock.GetUtcNow() + TimeSpan.FromDays(1), [new("c1")], new Dictionary<AccountId, IReadOnlyList<string>>()),
            default);

        await _scene.PassTimeAsync(RunAsync(connectionId, DeletionReason.ConnectionDeleted));
        await EndAsync(connectionId);

        Assert.Empty((await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))?.Accounts ?? []);
        Assert.Equal(1, Assert.Single(await ReceiptsAsync()).Accounts);
    }

    [Fact]
    public async Task A_sync_that_starts_meanwhile_is_waited_for_and_not_stopped()
    {
        _unreliable.FailsAtSnapshots = true;
        await StopHalfWayAsync("c1");
        var running = SyncIds.For(UserId, [new("j2")]);
        _scene.Durable.Set(running, OrchestrationRuntimeStatus.Running);

        // A try that has looked for running syncs already fails as those before it.
        await _scene.RestAsync();
        _unreliable.Fails = false;
        _scene.Clock.Advance(TimeSpan.FromHours(2));
        await _scene.RestAsync();
        Assert.True(_scene.HasSnapshotFiles);
        Assert.Empty(_scene.Durable.Events);

        _scene.Durable.Set(running, OrchestrationRuntimeStatus.Completed);
        await EndAsync();

        Assert.False(_scene.HasSnapshotFiles);
        Assert.Single(await ReceiptsAsync());
        Assert.Equal([running], _scene.Durable.Instances);
    }

    [Fact]
    public async Task What_was_fetched_meanwhile_has_a_receipt_of_its_own_when_it_goes_for_another_cause()
    {
        await StopHalfWayAsync("c1");
        _scene.Clock.Advance(TimeSpan.FromSeconds(1));
        await _scene.PublishByAsync("sync-later", UserId, "c2", "c3", "c4");
        Consents("""{"id":"x","status":"revoked"}""", """{"id":"y","status":"expired"}""");
        _unreliable.Fails = false;

        await _scene.PassTimeAsync(_scene.Get<ConsentEnforcement>().EnforceAsync(_scene.Durable.Client, UserId, "y", default));
        await EndAsync();

        Assert.Equal(
            [(DeletionReason.ConsentExpired, "y", 3L), (DeletionReason.ConsentRevoked, "x", 1L)],
            (await ReceiptsAsync()).Select(r => (r.Reason, r.ConsentId!, r.Accounts!.Value)));
        Assert.False(_scene.HasSnapshotFiles);
    }

    [Fact]
    public async Task One_of_a_connection_ends_by_itself_and_leaves_the_others_alone()
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        _unreliable.Fails = true;
        Assert.False((await _scene.PassTimeAsync(RunAsync("c1", DeletionReason.ConnectionDeleted))).HasEnded);
        Assert.Empty(await ReceiptsAsync());

        await EndAsync("c1");

        Assert.Equal(("c1", 1L), Assert.Single((await ReceiptsAsync()).Select(r => (r.ConnectionId?.Value, r.Accounts))));
        Assert.Equal(["c2"], (await _scene.Snapshots.Reader.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId.Value));
    }

    [Fact]
    public async Task The_history_of_a_sync_that_is_slow_to_stop_goes_when_it_has_stopped()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents("""{"id":"x","status":"revoked"}""");
        var slow = SyncIds.For(UserId, [new("j1")]);
        _scene.Durable.Set(slow, OrchestrationRuntimeStatus.Running);
        var createdAt = _scene.Clock.GetUtcNow();
        _scene.Durable.AfterEvent = id =>
        {
            _scene.Durable.Set(id, OrchestrationRuntimeStatus.Running, createdAt: createdAt);
            return Task.CompletedTask;
        };

        await _scene.PassTimeAsync(_scene.Get<ConsentEnforcement>().EnforceAsync(_scene.Durable.Client, UserId, "x", default));
        await _scene.PassTimeAsync(ReceiptAsync());
        Assert.Equal([slow], _scene.Durable.Instances);
        Assert.False(_scene.HasSnapshotFiles);

        _scene.Durable.Set(slow, OrchestrationRuntimeStatus.Completed, createdAt: createdAt);
        await EndAsync();

        Assert.Empty(_scene.Durable.Instances);
        Assert.Equal(1, Assert.Single(await ReceiptsAsync()).SyncsStopped);

        async Task<bool> ReceiptAsync()
        {
            while ((await ReceiptsAsync()).Count == 0)
                await Task.Delay(5);
            return true;
        }
    }

    [Fact]
    public async Task A_deletion_that_Basiq_has_done_and_that_goes_on_here_is_accepted_and_says_where_its_receipt_will_be()
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Basiq.Setup(b => b.DeleteUserAsync(UserId, It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);
        _unreliable.Fails = true;

        var deleted = await _scene.PassTimeAsync(DeleteAsync());
        Assert.Equal(202, deleted.Status);
        var receiptId = deleted.Json.GetProperty("receiptId").GetString()!;
        var url = $"/api/users/{UserId}/deletion-receipts/{receiptId}";
        Assert.Equal((url, url, "2"), (deleted.Headers.Location.ToString(), deleted.Json.GetProperty("url").GetString(), deleted.Headers.RetryAfter.ToString()));
        (await FindAsync()).IsProblem(404, "receipt-not-found");

        // Called again it is the same removal.
        var again = await _scene.PassTimeAsync(DeleteAsync());
        Assert.Equal((202, receiptId), (again.Status, again.Json.GetProperty("receiptId").GetString()));

        await EndAsync();
        var found = await FindAsync();
        Assert.Equal((200, "user-deleted"), (found.Status, found.Json.GetProperty("reason").GetString()));
        Assert.Single(await ReceiptsAsync());

        Task<Answer> DeleteAsync() => _scene.CallAsync<UserFunctions>((f, r) => f.DeleteUser(r, UserId, _scene.Durable.Client));

        Task<Answer> FindAsync() => _scene.CallAsync<DeletionReceiptFunctions>((f, r) => f.GetDeletionReceipt(r, UserId, receiptId, default));
    }

    [Fact]
    public async Task While_one_is_under_way_no_sync_brings_anything_back()
    {
        await StopHalfWayAsync("c1");
        Assert.True(await Assert.Single(_scene.Get<IEnumerable<IConsentCheck>>()).HasEndedAsync(_scene.Durable.Client, UserId, default));
        await EndAsync();
    }

    /// <summary>A removal under consent x that storage interrupts.</summary>
    private async Task StopHalfWayAsync(params string[] connections)
    {
        await _scene.PublishAsync(UserId, connections);
        Consents("""{"id":"x","status":"revoked"}""");
        _unreliable.Fails = true;
        var end = await _scene.PassTimeAsync(_scene.Get<ConsentEnforcement>().EnforceAsync(_scene.Durable.Client, UserId, "x", default));
        Assert.Equal(EnforcementOutcome.Removed, end.Outcome);
        Assert.NotNull(end.UnderWay);
        await _unreliable.HasFailedAsync();
        _scene.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    private Task<RemovalAsked> RunAsync(string? connectionId, DeletionReason reason) =>
        _scene.Get<Removals>().RunAsync(_scene.Durable.Client, UserId, connectionId is null ? null : new(connectionId), new DeletionCause(reason));

    /// <summary>Storage is back.</summary>
    private Task EndAsync(string? connectionId = null)
    {
        _unreliable.Fails = false;
        return _scene.EndOfRemovalAsync(UserId, connectionId);
    }

    private void Consents(params string[] consents) =>
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync([.. consents.Select(Consent.Parse)]);

    private Task<IReadOnlyList<DeletionReceipt>> ReceiptsAsync() => _scene.Get<DeletionReceipts>().ListAsync(UserId, default);
}
