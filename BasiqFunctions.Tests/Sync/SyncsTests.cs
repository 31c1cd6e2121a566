using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Users;
using Microsoft.DurableTask.Client;
using Moq;

namespace BasiqFunctions.Tests.Sync;

/// <summary>Starting syncs, as the HTTP functions do.</summary>
[Trait("Category", "Unit")]
public sealed class SyncsTests : IDisposable
{
    private readonly UsersScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task A_sync_that_ran_to_its_end_while_another_caller_was_asking_Basiq_is_not_run_again()
    {
        var syncId = SyncIds.For(UsersScene.Someone, [new("job-1")]);
        _scene.Basiq.Setup(b => b.ListJobsAsync(UsersScene.Someone, It.IsAny<CancellationToken>()))
            .Callback(() => _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Completed))
            .ReturnsAsync([new Job { Id = new("job-1") }]);

        var answer = await _scene.Get<Syncs>().StartAsync(_scene.Durable.Client, UsersScene.Someone, [new("job-1")], CancellationToken.None);

        Assert.Equal(syncId, answer.SyncId);
        Assert.Empty(_scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_sync_of_connections_fetches_what_Basiq_has_of_them_each_time_it_is_asked_for_and_once_at_a_time()
    {
        var syncId = SyncIds.ForConnections(UsersScene.Someone, [new("c1"), new("c2")]);
        _scene.Basiq.Setup(b => b.ListConnectionsAsync(UsersScene.Someone, It.IsAny<CancellationToken>()))
            .ReturnsAsync([.. new[] { ("c1", "active"), ("c2", "invalid"), ("c3", "deleted") }.Select(c => Connection.Parse($$"""{"id":"{{c.Item1}}","status":"{{c.Item2}}"}"""))]);

        foreach (var _ in Enumerable.Range(0, 2))
        {
            var answer = await StartAsync("""{"connectionIds":["c2","c1","c2"]}""");
            Assert.Equal((202, syncId), (answer.Status, answer.Json.GetProperty("syncId").GetString()));
        }

        Assert.Equal([syncId], _scene.Durable.Scheduled);
        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Completed);
        _scene.Durable.Show(syncId, new SyncProgress(SyncState.Completed, [], new AccountProgress(0, 0), 0));
        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Completed);
        Assert.Equal(202, (await StartAsync("""{"connectionIds":["c1","c2"],"full":true}""")).Status);

        var unknown = await StartAsync("""{"connectionIds":["c1","c3","c4"]}""");
        Assert.Equal((404, "connection-not-found"), (unknown.Status, unknown.Json.GetProperty("code").GetString()));
        Assert.Contains("c3, c4", unknown.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "jobIds")]
    [InlineData("""{"jobIds":["j"],"connectionIds":["c"]}""", "connectionIds")]
    [InlineData("""{"connectionIds":[]}""", "connectionIds")]
    [InlineData("""{"connectionIds":["c","a/b"]}""", "connectionIds[1]")]
    [InlineData("""{"jobIds":["j"],"full":"yes"}""", "full")]
    public async Task What_is_wrong_with_a_request_for_a_sync_is_named(string body, string field)
    {
        var answer = await StartAsync(body);
        Assert.Equal((400, "invalid-input"), (answer.Status, answer.Json.GetProperty("code").GetString()));
        Assert.Equal(field, Assert.Single(answer.Json.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task A_sync_that_ends_before_it_is_told_something_need_not_be_told()
    {
        var syncId = SyncIds.For(UsersScene.Someone, [new("job-1")]);
        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Running);
        _scene.Durable.BeforeEvent = id =>
        {
            _scene.Durable.Set(id, OrchestrationRuntimeStatus.Completed);
            throw new InvalidOperationException("as hosts say that it has ended");
        };
        var syncs = _scene.Get<Syncs>();

        Assert.True(await syncs.CancelAsync(_scene.Durable.Client, UsersScene.Someone, syncId, CancellationToken.None));
        await syncs.WakeAsync(_scene.Durable.Client, syncId, CancellationToken.None);
        await syncs.WakeAsync(_scene.Durable.Client, new("never-was"), CancellationToken.None);
        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Running);
        Assert.Equal(1, await syncs.StopAllAsync(_scene.Durable.Client, UsersScene.Someone, CancellationToken.None));
    }

    [Fact]
    public async Task A_sync_that_is_told_to_stop_is_waited_for_and_not_a_moment_longer()
    {
        var syncId = SyncIds.For(UsersScene.Someone, [new("job-1")]);
        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Running);
        _scene.Durable.AfterEvent = id =>
        {
            _scene.Durable.Set(id, OrchestrationRuntimeStatus.Running);
            return Task.CompletedTask;
        };
        var stopping = _scene.Get<Syncs>().StopAllAsync(_scene.Durable.Client, UsersScene.Someone, CancellationToken.None);
        _scene.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(stopping.IsCompleted);

        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Completed);
        var before = _scene.Clock.GetUtcNow();
        while (!stopping.IsCompleted)
        {
            _scene.Clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.WhenAny(stopping, Task.Delay(TimeSpan.FromSeconds(1)));
        }

        Assert.Equal(1, await stopping);
        Assert.InRange(_scene.Clock.GetUtcNow() - before, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task An_event_that_does_not_reach_a_running_sync_is_a_failure()
    {
        var syncId = SyncIds.For(UsersScene.Someone, [new("job-1")]);
        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Running);
        _scene.Durable.BeforeEvent = _ => throw new InvalidOperationException("as the test wants");

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _scene.Get<Syncs>().CancelAsync(_scene.Durable.Client, UsersScene.Someone, syncId, CancellationToken.None));
    }

    private Task<Answer> StartAsync(string body) =>
        _scene.CallAsync<SyncFunctions>((functions, request) => functions.StartSync(request, UsersScene.Someone, _scene.Durable.Client, default), body);
}
