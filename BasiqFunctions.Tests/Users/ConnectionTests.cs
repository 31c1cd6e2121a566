using BasiqFunctions.Basiq;
using BasiqFunctions.Sync;
using BasiqFunctions.Users;
using Moq;
using static BasiqFunctions.Tests.Users.UsersScene;

namespace BasiqFunctions.Tests.Users;

public sealed class ConnectionTests : IDisposable
{
    private const string Endpoint = "DELETE /users/{userId}/connections/{connectionId}";

    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task Connections_are_listed_as_Basiq_gives_them()
    {
        const string json = """{"type":"connection","id":"c1","status":"active","later":[1.50,null]}""";
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync([Connection.Parse(json)]);

        var answer = await _scene.CallAsync<ConnectionFunctions>((f, r) => f.ListConnections(r, UserId, default));

        Assert.Equal((200, $$"""{"connections":[{{json}}]}"""), (answer.Status, answer.Body));
        Assert.Equal("no-store", answer.Headers.CacheControl);
    }

    [Fact]
    public async Task Deleting_a_connection_removes_it_at_Basiq_and_that_banks_data_here()
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(UserId, "c1", It.IsAny<CancellationToken>())).Returns(Task.CompletedTask);

        Assert.Equal(204, (await Delete("c1")).Status);
        Assert.Equal(["c2"], await ConnectionsKept());
    }

    [Fact]
    public async Task A_deletion_that_fails_at_Basiq_loses_nothing_here()
    {
        await _scene.PublishAsync(UserId, "c1");
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(UserId, "c1", It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.Timeout, null, Endpoint));

        (await Delete("c1")).IsProblem(504, "basiq-timeout");
        Assert.Equal(["c1"], await ConnectionsKept());
    }

    [Fact]
    public async Task Deleting_a_connection_that_Basiq_no_longer_knows_removes_what_is_kept_here()
    {
        await _scene.PublishAsync(UserId, "c1", "c2");
        _scene.Basiq.Setup(b => b.DeleteConnectionAsync(UserId, "c1", It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, Endpoint));

        Assert.Equal(204, (await Delete("c1")).Status);
        Assert.Equal(["c2"], await ConnectionsKept());
        (await Delete("c1")).IsProblem(404, "connection-not-found");
    }

    [Fact]
    public async Task Ids_that_are_none_are_named_both() =>
        (await _scene.CallAsync<ConnectionFunctions>((f, r) => f.DeleteConnection(r, "a/b", "", default)))
            .Names("userId", "connectionId");

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    public async Task A_refresh_follows_the_jobs_that_Basiq_gives(string? body)
    {
        _scene.Basiq.Setup(b => b.RefreshConnectionsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync(["a", "b"]);
        _scene.KnowsJobs(UserId, "a", "b");

        var answer = await Refresh(body);

        Assert.Equal(202, answer.Status);
        Assert.Equal($"/api/users/{UserId}/syncs/{SyncId.For(UserId, ["a", "b"])}", answer.Headers.Location);
        Assert.Equal("waiting-for-bank", answer.Json.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_refresh_while_Basiq_is_still_at_it_finds_the_same_sync()
    {
        _scene.Basiq.Setup(b => b.RefreshConnectionAsync(UserId, "c1", It.IsAny<CancellationToken>())).ReturnsAsync(["a"]);
        _scene.KnowsJobs(UserId, "a");

        var first = await Refresh("""{"connectionId":"c1"}""");
        var second = await Refresh("""{"connectionId":"c1"}""");

        Assert.Equal(first.Body, second.Body);
        Assert.Single(_scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_refresh_of_nothing_is_a_conflict()
    {
        _scene.Basiq.Setup(b => b.RefreshConnectionsAsync(UserId, It.IsAny<CancellationToken>())).ReturnsAsync([]);

        (await Refresh(null)).IsProblem(409, "no-connections");
    }

    [Fact]
    public async Task A_refresh_of_an_unknown_connection_or_user_says_which()
    {
        _scene.Basiq.Setup(b => b.RefreshConnectionAsync(UserId, "c1", It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, "POST /users/{userId}/connections/{connectionId}/refresh"));
        _scene.Basiq.Setup(b => b.RefreshConnectionsAsync(UserId, It.IsAny<CancellationToken>()))
            .ThrowsAsync(Failure(BasiqFailureKind.NotFound, 404, "POST /users/{userId}/connections/refresh"));

        (await Refresh("""{"connectionId":"c1"}""")).IsProblem(404, "connection-not-found");
        (await Refresh(null)).IsProblem(404, "user-not-found");
    }

    [Theory]
    [InlineData("""{"connectionId":"a/b"}""", "connectionId")]
    [InlineData("""{"connectionId":1}""", "connectionId")]
    [InlineData("""{"connectionIds":[]}""", "connectionIds")]
    [InlineData("nonsense", "body")]
    public async Task A_refresh_names_what_is_wrong(string body, string field) => (await Refresh(body)).Names(field);

    private async Task<string[]> ConnectionsKept() =>
        [.. (await _scene.Snapshots.GetCurrentAsync(UserId, default))!.Accounts.Select(a => a.ConnectionId)];

    private Task<Answer> Delete(string connectionId) =>
        _scene.CallAsync<ConnectionFunctions>((f, r) => f.DeleteConnection(r, UserId, connectionId, default));

    private Task<Answer> Refresh(string? body) =>
        _scene.CallAsync<ConnectionFunctions>((f, r) => f.RefreshConnections(r, UserId, _scene.Durable.Client, default), body);
}
