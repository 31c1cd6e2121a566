using BasiqFunctions.Basiq;
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
        var syncId = SyncId.For(UsersScene.UserId, ["job-1"]);
        _scene.Basiq.Setup(b => b.ListJobsAsync(UsersScene.UserId, It.IsAny<CancellationToken>()))
            .Callback(() => _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Completed))
            .ReturnsAsync([new Job { Id = "job-1" }]);

        var answer = await _scene.Get<Syncs>().StartAsync(_scene.Durable.Client, UsersScene.UserId, ["job-1"], CancellationToken.None);

        Assert.Equal(syncId, answer.SyncId);
        Assert.Empty(_scene.Durable.Scheduled);
    }

    [Fact]
    public async Task A_sync_that_ends_before_it_is_told_something_need_not_be_told()
    {
        var syncId = SyncId.For(UsersScene.UserId, ["job-1"]);
        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Running);
        _scene.Durable.BeforeEvent = id =>
        {
            _scene.Durable.Set(id, OrchestrationRuntimeStatus.Completed);
            throw new InvalidOperationException("as hosts say that it has ended");
        };
        var syncs = _scene.Get<Syncs>();

        Assert.True(await syncs.CancelAsync(_scene.Durable.Client, UsersScene.UserId, syncId, CancellationToken.None));
        await syncs.WakeAsync(_scene.Durable.Client, syncId, CancellationToken.None);
        await syncs.WakeAsync(_scene.Durable.Client, "never-was", CancellationToken.None);
        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Running);
        Assert.Equal(1, await syncs.StopAllAsync(_scene.Durable.Client, UsersScene.UserId, CancellationToken.None));
    }

    [Fact]
    public async Task A_sync_that_is_told_to_stop_is_waited_for_and_not_a_moment_longer()
    {
        var syncId = SyncId.For(UsersScene.UserId, ["job-1"]);
        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Running);
        _scene.Durable.AfterEvent = id =>
        {
            _scene.Durable.Set(id, OrchestrationRuntimeStatus.Running);
            return Task.CompletedTask;
        };
        var stopping = _scene.Get<Syncs>().StopAllAsync(_scene.Durable.Client, UsersScene.UserId, CancellationToken.None);
        _scene.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(stopping.IsCompleted);

        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Completed);
        _scene.Clock.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(1, await stopping.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task An_event_that_does_not_reach_a_running_sync_is_a_failure()
    {
        var syncId = SyncId.For(UsersScene.UserId, ["job-1"]);
        _scene.Durable.Set(syncId, OrchestrationRuntimeStatus.Running);
        _scene.Durable.BeforeEvent = _ => throw new InvalidOperationException("as the test wants");

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _scene.Get<Syncs>().CancelAsync(_scene.Durable.Client, UsersScene.UserId, syncId, CancellationToken.None));
    }
}
