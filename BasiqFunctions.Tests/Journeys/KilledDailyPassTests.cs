using System.Net;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Removal;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>LocalHost is killed with SIGKILL in the steps of a daily pass, and started again.</summary>
[Trait("Category", "Journeys")]
public sealed class KilledDailyPassTests : IAsyncLifetime
{
    private readonly RemovalScene _scene = new();

    public Task InitializeAsync() => _scene.InitializeAsync();

    public Task DisposeAsync() => _scene.DisposeAsync();

    [SkippableTheory]
    [InlineData(nameof(DueActivities.BeginDuePass), nameof(DueActivities.SeedDue), nameof(DueActivities.DoDue))]
    [InlineData(nameof(DueActivities.SettleAbsences), nameof(DueActivities.EndDuePass))]
    public async Task A_daily_pass_killed_in_its_steps_ends_with_one_receipt_of_each_user_whose_consent_has_ended(params string[] steps)
    {
        // Who is fetched yesterday is due today.
        using var clock = new SettableClock();
        clock.Set(TimeSpan.FromDays(-1));
        List<string> gone = [];
        string kept;
        string data;
        var yesterday = await _scene.Hosts.StartHostAsync(clock.Environment);
        try
        {
            kept = await _scene.UserWithDataAsync(yesterday);
            data = await RemovalScene.DataOfAsync(yesterday, kept);
            for (var i = 0; i < 2; i++)
                gone.Add(await _scene.UserWithDataAsync(yesterday));
        }
        finally
        {
            _scene.Hosts.Kill(yesterday);
        }

        foreach (var userId in gone)
            await RevokeAsync(userId);
        await using (var journal = Journal.Open(Path.Combine(_scene.Hosts.StateFolder, "journal.db")))
        {
            var (last, next) = (await journal.FindTimerAsync("StartDuePass", CancellationToken.None))!.Value;
            await journal.SaveTimerAsync("StartDuePass", last, next - TimeSpan.FromDays(2));
        }

        LocalHostProcess? host = null;
        try
        {
            foreach (var step in steps)
            {
                host = await _scene.Hosts.StartHostAsync();
                await BegunAsync(step);
                _scene.Hosts.Kill(host);
            }

            host = await _scene.Hosts.StartHostAsync();
            foreach (var userId in gone)
                await _scene.AssertGoneOnceAsync(host, userId, "consent-revoked");
            await _scene.AssertKeptAsync(host, kept, data);
        }
        finally
        {
            host?.Dispose();
        }
    }

    /// <summary>Waits until a daily pass has asked for an activity.</summary>
    private Task BegunAsync(string activity) => AppUnderTest.WaitForAsync(
        () => _scene.Hosts.AskAsync("journal.db", $"SELECT count(*) FROM turns WHERE instance_id LIKE 'due-%' AND events LIKE '%\"{activity}\"%'"),
        turns => turns is > 0L);

    private async Task RevokeAsync(string userId)
    {
        using var listed = await _scene.AskBasiqAsync($"users/{userId}/consents");
        using var revoked = await _scene.Hosts.Basiq.DeleteAsync(
            new Uri($"users/{userId}/consents/{(await AppUnderTest.ReadAsync(listed)).GetProperty("data")[0].GetProperty("id").GetString()}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
    }
}
