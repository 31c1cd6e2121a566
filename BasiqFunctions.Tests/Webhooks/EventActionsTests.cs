using BasiqFunctions.Basiq;
using BasiqFunctions.Consents;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Users;
using BasiqFunctions.Users;
using BasiqFunctions.Webhooks;
using Microsoft.DurableTask.Client;
using Moq;

namespace BasiqFunctions.Tests.Webhooks;

public sealed class EventActionsTests : IDisposable
{
    private const string UserId = UsersScene.UserId;

    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData("consent", "revoked")]
    [InlineData("consent", "expired")]
    public async Task The_end_of_a_consent_takes_the_data_along(string entity, string type)
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents("""{"id":"x","status":"revoked"}""");

        Assert.Equal("removed", await ActAsync(entity, type, "consents/x"));

        Assert.False(_scene.HasSnapshotFiles);
        Assert.Equal("x", Assert.Single(await ReceiptsAsync()).ConsentId);
        Assert.Equal("nothing-kept", await ActAsync(entity, type, "consents/x"));
    }

    [Fact]
    public async Task A_deleted_user_s_data_goes_once_Basiq_says_that_the_user_is_gone()
    {
        await _scene.PublishAsync(UserId, "c1");
        Consents("""{"id":"x","status":"active","expiryDate":"2030-01-01T00:00:00Z"}""");
        Connections("c1");
        Assert.Equal("still-consented", await ActAsync("user", "deleted", ""));
        Assert.True(_scene.HasSnapshotFiles);

        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(BasiqFailureKind.NotFound));
        Assert.Equal("removed", await ActAsync("user", "deleted", ""));
        Assert.Equal(DeletionReason.UserDeleted, Assert.Single(await ReceiptsAsync()).Reason);
    }

    [Fact]
    public async Task A_warning_is_kept()
    {
        Consents("""{"id":"x","status":"active","expiryDate":"2024-07-01T00:00:00Z"}""");
        Assert.Equal("noted", await ActAsync("consent", "warning", "consents/x"));
        Assert.Equal("no-such-consent", await ActAsync("consent", "warning", "consents/y"));
        Assert.Equal(["x"], (await _scene.Get<ConsentWarnings>().ListAsync(UserId, default)).Keys);
    }

    [Fact]
    public async Task An_invalidated_connection_asks_for_attention_until_it_is_active_again()
    {
        Connection("c1", "invalid");
        Connections("c1", "c2");

        // A sync may wait for the job whose failure is behind it.
        var waiting = SyncId.For(UserId, ["failing"]);
        _scene.Durable.Set(waiting, OrchestrationRuntimeStatus.Running);
        Assert.Equal("marked", await ActAsync("connection", "invalidated", "connections/c1"));
        Assert.Equal([waiting], _scene.Durable.Events);

        var answer = await _scene.CallAsync<ConnectionFunctions>((f, r) => f.ListConnections(r, UserId, default));
        var matter = Assert.Single(answer.Json.GetProperty("attention").EnumerateArray());
        Assert.Equal(("c1", "reconnect"), (matter.GetProperty("connectionId").GetString(), matter.GetProperty("nextAction").GetString()));
        Assert.Equal("""{"id":"c1"}""", answer.Json.GetProperty("connections")[0].GetRawText());

        Connection("c1", "active");
        _scene.Durable.Set(SyncId.For(UserId, ["j"]), OrchestrationRuntimeStatus.Running);
        await ActAsync("connection", "activated", "connections/c1");
        answer = await _scene.CallAsync<ConnectionFunctions>((f, r) => f.ListConnections(r, UserId, default));
        Assert.False(answer.Json.TryGetProperty("attention", out _));
    }

    [Fact]
    public async Task A_deleted_connection_s_data_goes_once_Basiq_says_that_it_is_gone()
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        Connection("c1", "active");
        Assert.Equal("still-there", await ActAsync("connection", "deleted", "connections/c1"));

        _scene.Basiq.Setup(b => b.GetConnectionAsync(UserId, "c1", It.IsAny<CancellationToken>())).ThrowsAsync(UsersScene.Failure(BasiqFailureKind.NotFound));
        Assert.Equal("removed", await ActAsync("connection", "deleted", "connections/c1"));
        Assert.Equal(["c2"], (await _scene.Snapshots.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId));
        Assert.Equal(("c1", DeletionReason.ConnectionDeleted), (Assert.Single(await ReceiptsAsync()).ConnectionId, Assert.Single(await ReceiptsAsync()).Reason));
    }

    [Theory]
    [InlineData("connection", "activated", "connections/c1")]
    [InlineData("account", "updated", "accounts?filter=connection.id.eq('c1')")]
    [InlineData("transactions", "updated", "transactions?filter=connection.id.eq('c1')")]
    public async Task News_of_a_bank_wakes_a_sync_or_starts_a_refresh_once_in_a_while(string entity, string type, string path)
    {
        Connection("c1", "active");
        var running = SyncId.For(UserId, ["j0"]);
        _scene.Durable.Set(running, OrchestrationRuntimeStatus.Running);
        Assert.Equal("woken", await ActAsync(entity, type, path));
        Assert.Equal([running], _scene.Durable.Events);

        _scene.KnowsJobs(UserId, "j1", "j2");
        _scene.Basiq.SetupSequence(b => b.RefreshConnectionAsync(UserId, "c1", It.IsAny<CancellationToken>()))
            .ThrowsAsync(UsersScene.Failure(BasiqFailureKind.Unavailable)).ReturnsAsync(["j1"]).ReturnsAsync(["j2"]);
        await Assert.ThrowsAsync<BasiqException>(() => ActAsync(entity, type, path));
        Assert.Equal("refreshed", await ActAsync(entity, type, path));
        Assert.Equal([SyncId.For(UserId, ["j1"])], _scene.Durable.Scheduled);

        _scene.Durable.Set(SyncId.For(UserId, ["j1"]), OrchestrationRuntimeStatus.Completed);
        _scene.Clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal("refreshed-lately", await ActAsync(entity, type, path));
        _scene.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("refreshed", await ActAsync(entity, type, path));
    }

    [Fact]
    public async Task What_was_fetched_since_the_event_is_not_fetched_again_so_that_a_refresh_brings_about_no_other()
    {
        Connection("c1", "active");
        await _scene.PublishAsync(UserId, "c1");
        Assert.Equal("covered", await ActAsync("transactions", "updated", "transactions?filter=connection.id.eq('c1')"));
    }

    [Theory]
    [InlineData("user", "created", "")]
    [InlineData("something", "new", "connections/c1")]
    public async Task Other_types_are_taken_to_no_effect(string entity, string type, string path) =>
        Assert.Equal("unknown-type", await ActAsync(entity, type, path));

    private async Task<string> ActAsync(string entity, string type, string path)
    {
        var happened = BasiqEvent.Parse(
            $$"""{"id":"e1","createdDate":"2024-06-01T12:00:00Z","entity":"{{entity}}","eventType":"{{type}}","userId":"{{UserId}}","dataRef":"https://basiq/users/{{UserId}}/{{path}}"}""");
        return (await _scene.Get<EventActions>().ActAsync(_scene.Durable.Client, happened, default)).Outcome;
    }

    private void Consents(string json) =>
        _scene.Basiq.Setup(b => b.ListConsentsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync([Consent.Parse(json)]);

    private void Connection(string id, string status) =>
        _scene.Basiq.Setup(b => b.GetConnectionAsync(UserId, id, It.IsAny<CancellationToken>()))
            .ReturnsAsync(BasiqFunctions.Basiq.Connection.Parse($$"""{"id":"{{id}}","status":"{{status}}"}"""));

    private void Connections(params string[] ids) =>
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>()))
            .ReturnsAsync([.. ids.Select(id => BasiqFunctions.Basiq.Connection.Parse($$"""{"id":"{{id}}"}"""))]);

    private Task<IReadOnlyList<DeletionReceipt>> ReceiptsAsync() => _scene.Get<DeletionReceipts>().ListAsync(UserId, default);
}
