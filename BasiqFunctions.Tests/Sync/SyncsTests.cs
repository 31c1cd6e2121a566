using BasiqFunctions.Basiq;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Users;
using Microsoft.DurableTask.Client;
using Moq;

namespace BasiqFunctions.Tests.Sync;

/// <summary>Starting syncs, as the HTTP functions do.</summary>
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
}
