using System.Text.Json;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Users;
using Moq;

namespace BasiqFunctions.Tests.Sync;

/// <summary>What a bank asks is shown, however little Basiq or the sync says of it.</summary>
[Trait("Category", "Unit")]
public sealed class ChallengesTests : IDisposable
{
    private static readonly Job Asking = JsonSerializer.Deserialize<Job>(
        """
        {"id":"j1","steps":[
          {"status":"success","result":{"type":"link","url":"/users/user-1/connections/c1"}},
          {"status":"in-progress","result":{"type":"mfa","method":"token","description":"d","input":["code"],"expiryMs":120000,"links":{"response":"x"}}},
          {"status":"pending","result":null}]}
        """)!;

    private readonly UsersScene _scene = new();

    public ChallengesTests() => _scene.Basiq.Setup(b => b.GetJobAsync(new("j1"), It.IsAny<CancellationToken>())).ReturnsAsync(Asking);

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task A_step_without_a_title_that_asks_is_a_challenge()
    {
        var kept = SyncedJob.From(Asking);

        Assert.Equal(["mfa-challenge"], kept.Steps.Select(s => s.Title).OfType<string>());
        Assert.Single((await ShowAsync(kept)).Steps, s => s.Challenge is not null);
    }

    [Fact]
    public async Task A_sync_of_so_many_jobs_that_it_keeps_no_steps_shows_challenges_still() =>
        Assert.Single((await ShowAsync(SyncedJob.From(Asking) with { Steps = [] })).Steps, s => s.Challenge is not null);

    [Fact]
    public async Task Of_a_job_that_is_settled_Basiq_is_not_asked()
    {
        var settled = SyncedJob.From(Asking) with { Status = JobState.Success };

        Assert.Equal(settled, await ShowAsync(settled));
        _scene.Basiq.Verify(b => b.GetJobAsync(It.IsAny<JobId>(), It.IsAny<CancellationToken>()), Times.Never);
    }

    private async Task<SyncedJob> ShowAsync(SyncedJob job) => (await _scene.Get<Challenges>().ShowAsync(
        new SyncAnswer(
            SyncIds.For(UsersScene.Someone, [new("j1")]), UsersScene.Someone, SyncState.WaitingForBank, default, default, [job],
            new AccountProgress(0, 0), 0, null),
        CancellationToken.None)).Jobs[0];
}
