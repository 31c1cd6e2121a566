using System.Net.Http.Json;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>A sync that is told of what changes asks seldom, and is done at once.</summary>
[Trait("Category", "Journeys")]
public sealed class JobNewsTests
{
    [Fact]
    public async Task A_sync_of_a_job_of_a_minute_that_is_told_notices_the_end_at_once_and_polls_less_than_five_times()
    {
        var clock = StandingClock.New();
        await using var app = await AppUnderTest.StartAsync(["Sync:FirstPollDelay=00:00:02", "Sandbox:JobDuration=00:01:00"], clock);
        await app.SubscribeAsync();
        var userId = await app.CreateUserAsync();
        var syncId = await app.ConsentAndReturnAsync(userId, "jared");
        var startedAt = clock.GetUtcNow();

        for (var third = 1; third <= 2; third++)
        {
            await LetPassAsync(20);
            var steps = third;
            await AppUnderTest.WaitForAsync(
                () => app.GetSyncAsync(userId, syncId), s => s.Jobs[0].Steps.Count(step => step.Status is "success") == steps);
        }

        await LetPassAsync(20);
        Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(userId, syncId)).Status);
        Assert.Equal(TimeSpan.FromSeconds(60), clock.GetUtcNow() - startedAt);
        Assert.InRange(await app.CountAsync("GET /jobs/{jobId}"), 3, 4);

        // A call that is under way while the clock is moved would time out by it, and be made again at a time that does not come.
        async Task LetPassAsync(int seconds)
        {
            for (; seconds > 0; seconds--)
            {
                await app.RestAsync();
                clock.Advance(TimeSpan.FromSeconds(1));
            }
        }
    }

    /// <summary>While a sync is being started, its jobs have been read and nobody can be told of them yet.</summary>
    [Fact]
    public async Task What_is_told_to_nobody_as_a_sync_begins_is_noticed_by_its_first_poll()
    {
        var clock = StandingClock.New();
        await using var app = await AppUnderTest.StartAsync(["Sync:FirstPollDelay=00:00:02", "Sandbox:JobDuration=00:00:01.5"], clock);
        await app.SubscribeAsync();
        using (await app.Sandbox.PatchAsJsonAsync("_sandbox/options", new { webhooks = false }))
        {
            var userId = await app.CreateUserAsync();
            var syncId = await app.ConsentAndReturnAsync(userId, "jared");

            clock.Advance(TimeSpan.FromSeconds(1));
            clock.Advance(TimeSpan.FromSeconds(1));

            Assert.Equal(SyncState.Completed, (await app.WaitForSyncAsync(userId, syncId)).Status);
            Assert.Equal(1, await app.CountAsync("GET /jobs/{jobId}"));
        }
    }
}
