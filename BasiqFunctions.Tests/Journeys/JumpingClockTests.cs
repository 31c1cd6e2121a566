using System.Net;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>The clock of LocalHost's machine jumps while syncs run.</summary>
[Trait("Category", "Journeys")]
public sealed class JumpingClockTests
{
    [SkippableTheory]
    [InlineData(-24)]
    [InlineData(370 * 24)]
    public async Task Syncs_go_on_as_if_nothing_had_happened_and_no_data_goes(int hours)
    {
        using var clock = new SettableClock();
        await using var scene = await HostBesideSandbox.CreateAsync(
            new Dictionary<string, string> { ["JobDuration"] = "00:00:03" },
            "Sync:FirstPollDelay=00:00:00.5", "Sync:MaxPollDelay=00:00:01", "Sync:JobTimeout=01:00:00");
        using var host = await scene.StartHostAsync(clock.Environment);
        var (userOfBefore, syncOfBefore) = await scene.StartSyncAsync(host, "gavinBelson");
        await HostBesideSandbox.CompletedAsync(host, userOfBefore, syncOfBefore);
        var syncs = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => scene.StartSyncAsync(host, "gavinBelson")));

        clock.Set(TimeSpan.FromHours(hours));
        await AppUnderTest.WaitForAsync(() => Task.FromResult(host.Output), output => output.Contains("The clock jumped by ", StringComparison.Ordinal));

        foreach (var (userId, syncId) in syncs)
            await HostBesideSandbox.CompletedAsync(host, userId, syncId);
        var (userOfAfter, syncOfAfter) = await scene.StartSyncAsync(host, "gavinBelson");
        await HostBesideSandbox.CompletedAsync(host, userOfAfter, syncOfAfter);
        using var accounts = await host.Api.GetAsync(new Uri($"users/{userOfBefore}/accounts", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, accounts.StatusCode);
        await host.StopAsync();
        Assert.DoesNotContain("Looked after ", host.Output, StringComparison.Ordinal);
    }
}
