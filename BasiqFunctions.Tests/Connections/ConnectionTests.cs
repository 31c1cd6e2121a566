using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections;
using BasiqFunctions.Removal;
using BasiqFunctions.Tests.Users;
using Moq;
using static BasiqFunctions.Tests.Users.UsersScene;

namespace BasiqFunctions.Tests.Connections;

[Trait("Category", "Unit")]
public sealed class ConnectionTests : IDisposable
{
    private const string Endpoint = "DELETE /users/{userId}/connections/{connectionId}";

    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task Deleting_a_connection_removes_it_at_Basiq_and_that_banks_data_here()
    {
        await _scene.PublishAsync(Someone, "c1", "c2");
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);

        Assert.Equal(204, (await Delete("c1")).Status);
        Assert.Equal(["c2"], await ConnectionsKept());
    }

    [Fact]
    public async Task A_deletion_that_fails_at_Basiq_loses_nothing_here()
    {
        await _scene.PublishAsync(Someone, "c1");
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.Timeout, null, Endpoint));

        (await Delete("c1")).IsProblem(504, "basiq-timeout");
        Assert.Equal(["c1"], await ConnectionsKept());
    }

    [Fact]
    public async Task Deleting_a_connection_that_Basiq_no_longer_knows_removes_what_is_kept_here()
    {
        await _scene.PublishAsync(Someone, "c1", "c2");
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, Endpoint));

        Assert.Equal(204, (await Delete("c1")).Status);
        Assert.Equal(["c2"], await ConnectionsKept());
        (await Delete("c1")).IsProblem(404, "connection-not-found");
    }

    [Theory]
    [InlineData("active")]
    [InlineData("invalid")]
    public async Task A_404_of_a_deletion_is_not_believed_while_Basiq_has_the_connection(string status)
    {
        await _scene.PublishAsync(Someone, "c1", "c2");
        HasConnection(status);
        _scene.Basiq.Setup(b => b.PurgeConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, Endpoint));

        (await Delete("c1")).IsProblem(502, "basiq-unusable-answer");

        Assert.Equal(["c1", "c2"], await ConnectionsKept());
    }

    [Fact]
    public async Task An_active_connection_is_purged_at_Basiq_before_it_is_deleted()
    {
        await _scene.PublishAsync(Someone, "c1", "c2");
        List<string> asked = [];
        HasConnection("active");
        _scene.Basiq.Setup(b => b.PurgeConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .Callback(() => asked.Add("purge")).Returns(Task.CompletedTask);
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .Callback(() => asked.Add("delete")).Returns(Task.CompletedTask);

        Assert.Equal(204, (await Delete("c1")).Status);

        Assert.Equal(["purge", "delete"], asked);
        Assert.Equal(["c2"], await ConnectionsKept());
    }

    // Basiq is a strict mock: a purge would fail.
    [Theory]
    [InlineData("invalid")]
    [InlineData("pending")]
    [InlineData("a-status-to-come")]
    public async Task A_connection_that_is_not_active_cannot_be_purged_and_is_just_deleted(string status)
    {
        await _scene.PublishAsync(Someone, "c1", "c2");
        HasConnection(status);
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);

        Assert.Equal(204, (await Delete("c1")).Status);
        Assert.Equal(["c2"], await ConnectionsKept());
    }

    // Basiq is a strict mock: a purge would fail.
    [Fact]
    public async Task Whoever_means_it_leaves_with_Basiq_what_it_has_of_a_connection()
    {
        await _scene.PublishAsync(Someone, "c1", "c2");
        HasConnection("active");
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);

        (await Delete("c1", "?purge=no")).Names("purge");
        Assert.Equal(204, (await Delete("c1", "?purge=false")).Status);
        Assert.Equal(["c2"], await ConnectionsKept());
    }

    // That it is deleted all the same would fail, too.
    [Theory]
    [InlineData(BasiqFailureKind.Unavailable, 500, 503, "basiq-unavailable")]
    [InlineData(BasiqFailureKind.UnusableAnswer, 200, 502, "basiq-unusable-answer")]
    [InlineData(BasiqFailureKind.Invalid, 400, 502, "basiq-unusable-answer")]
    [InlineData(BasiqFailureKind.NotFound, 404, 502, "basiq-unusable-answer")]
    [InlineData(BasiqFailureKind.Forbidden, 403, 502, "basiq-refused")]
    public async Task A_purge_that_fails_leaves_the_connection_and_says_so_and_calling_again_finishes(
        BasiqFailureKind kind, int status, int expected, string code)
    {
        await _scene.PublishAsync(Someone, "c1");
        HasConnection("active");
        _scene.Basiq.SetupSequence(b => b.PurgeConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(kind, status, BasiqClient.PurgeEndpoint)).Returns(Task.CompletedTask);

        var answer = await Delete("c1");

        answer.IsProblem(expected, code);
        Assert.Contains("was not purged", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(["c1"], await ConnectionsKept());

        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);
        Assert.Equal(204, (await Delete("c1")).Status);
        Assert.Empty(await ConnectionsKept());
    }

    [Fact]
    public async Task A_connection_that_was_purged_and_not_deleted_is_purged_again_and_deleted_by_calling_again()
    {
        await _scene.PublishAsync(Someone, "c1");
        HasConnection("active");
        _scene.Basiq.Setup(b => b.PurgeConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);
        _scene.Basiq.SetupSequence(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.Unavailable, 503, Endpoint)).Returns(Task.CompletedTask);

        (await Delete("c1")).IsProblem(503, "basiq-unavailable");
        Assert.Equal(["c1"], await ConnectionsKept());

        Assert.Equal(204, (await Delete("c1")).Status);
        Assert.Empty(await ConnectionsKept());
    }

    [Fact]
    public async Task Whom_Basiq_keeps_waiting_is_told_where_the_receipt_will_be_and_what_fails_then_is_tried_again_by_itself()
    {
        await _scene.PublishAsync(Someone, "c1", "c2");
        HasConnection("active");
        var slow = new TaskCompletionSource();
        _scene.Basiq.SetupSequence(b => b.PurgeConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>())).Returns(slow.Task).Returns(Task.CompletedTask);
        _scene.Basiq.SetupSequence(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.Forbidden, 403, Endpoint)).Returns(Task.CompletedTask);

        var answer = await _scene.PassTimeAsync(Delete("c1"));
        Assert.Equal(202, answer.Status);
        slow.SetException(Failure(BasiqFailureKind.Unavailable, 503, BasiqClient.PurgeEndpoint));
        await _scene.EndOfRemovalAsync(Someone, "c1");

        Assert.Equal(["c2"], await ConnectionsKept());
        Assert.Equal(
            (answer.Json.GetProperty("receiptId").GetString(), "c1"),
            Assert.Single((await _scene.Get<DeletionReceipts>().ListAsync(Someone, default)).Select(receipt => (receipt.ReceiptId, receipt.ConnectionId))));
    }

    [Fact]
    public async Task A_deletion_that_Basiq_carried_out_and_whose_answer_was_lost_leaves_a_receipt_although_nothing_was_kept()
    {
        _scene.Basiq.SetupSequence(b => b.GetConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ReturnsAsync(Connection.Parse("""{"id":"c1","status":"invalid"}""")).ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, Endpoint));
        _scene.Basiq.SetupSequence(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ThrowsAsync(new IOException("the machine died")).ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, Endpoint));

        Assert.InRange((await _scene.PassTimeAsync(Delete("c1"))).Status, 202, 204);
        await _scene.EndOfRemovalAsync(Someone, "c1");

        Assert.Equal("c1", Assert.Single(await _scene.Get<DeletionReceipts>().ListAsync(Someone, default)).ConnectionId);
    }

    [Fact]
    public async Task What_Basiq_refuses_for_a_day_is_not_tried_for_ever_and_the_next_call_says_why()
    {
        await _scene.PublishAsync(Someone, "c1");
        HasConnection("invalid");
        var slow = new TaskCompletionSource();
        _scene.Basiq.SetupSequence(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>())).Returns(slow.Task);
        var refused = Failure(BasiqFailureKind.Forbidden, 403, Endpoint);

        Assert.Equal(202, (await _scene.PassTimeAsync(Delete("c1"))).Status);
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>())).ThrowsAsync(refused);
        slow.SetException(refused);
        var before = _scene.Clock.GetUtcNow();
        await _scene.EndOfRemovalAsync(Someone, "c1");

        Assert.True(_scene.Clock.GetUtcNow() - before >= TimeSpan.FromDays(1));
        (await Delete("c1")).IsProblem(502, "basiq-refused");
        Assert.Equal(["c1"], await ConnectionsKept());
    }

    [Fact]
    public async Task A_connection_that_ceases_to_be_active_while_it_is_purged_is_just_deleted()
    {
        await _scene.PublishAsync(Someone, "c1");
        _scene.Basiq.SetupSequence(b => b.GetConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ReturnsAsync(Connection.Parse("""{"id":"c1","status":"active"}"""))
            .ReturnsAsync(Connection.Parse("""{"id":"c1","status":"invalid"}"""));
        _scene.Basiq.Setup(b => b.PurgeConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.Invalid, 400, BasiqClient.PurgeEndpoint));
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);

        Assert.Equal(204, (await Delete("c1")).Status);
        Assert.Empty(await ConnectionsKept());
    }

    // A 404 after an attempt that may have done it counts as done to the client: with another application's key it is not.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_of_a_user_whom_Basiq_does_not_know_keeps_its_data(bool isDone)
    {
        await _scene.PublishAsync(Someone, "c1");
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .Returns(isDone ? Task.CompletedTask : Task.FromException(Failure(BasiqFailureKind.NotFound, 404, Endpoint)));
        _scene.Basiq.Setup(b => b.GetUserAsync(Someone, It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404));

        (await Delete("c1")).IsProblem(404, "user-not-found");
        Assert.Equal(["c1"], await ConnectionsKept());
    }

    [Theory]
    [InlineData("""{"connectionId":"a/b"}""", "connectionId")]
    [InlineData("""{"connectionId":1}""", "connectionId")]
    [InlineData("""{"connectionIds":[]}""", "connectionIds")]
    [InlineData("""{"force":"yes"}""", "force")]
    [InlineData("""{"attended":0}""", "attended")]
    [InlineData("nonsense", "body")]
    public async Task A_refresh_names_what_is_wrong(string body, string field) => (await Refresh(body)).Names(field);

    private void HasConnection(string status) =>
        _scene.Basiq.Setup(b => b.GetConnectionAsync(Someone, new("c1"), It.IsAny<CancellationToken>()))
            .ReturnsAsync(Connection.Parse($$"""{"id":"c1","status":"{{status}}"}"""));

    private async Task<string[]> ConnectionsKept() =>
        [.. (await _scene.Snapshots.Reader.GetCurrentAsync(Someone, default))!.Accounts.Select(a => a.ConnectionId)];

    private Task<Answer> Delete(string connectionId, string query = "") => _scene.CallAsync<ConnectionFunctions>(
        (f, r) => f.DeleteConnection(r, Someone, connectionId, _scene.Durable.Client), query: query);

    private Task<Answer> Refresh(string? body) =>
        _scene.CallAsync<ConnectionFunctions>((f, r) => f.RefreshConnections(r, Someone, _scene.Durable.Client, default), body);
}
