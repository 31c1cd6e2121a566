using System.Net;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>LocalHost with next to no memory: it takes longer, or says what failed; nothing is left hanging.</summary>
[Trait("Category", "Journeys")]
public sealed class ShortOfMemoryTests
{
    [Fact]
    public async Task On_a_heap_of_40_MiB_twenty_syncs_at_once_all_end()
    {
        await using var scene = await HostBesideSandbox.CreateAsync(
            new Dictionary<string, string> { ["JobDuration"] = "00:00:00.5", ["AccountsPerUser"] = "4", ["TransactionsPerAccount"] = "1000", ["Webhooks"] = "false" },
            "Sync:FirstPollDelay=00:00:00.5");
        using var host = await scene.StartHostAsync(new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = "0x2800000" });
        List<(string UserId, Uri WayBack)> people = [];
        for (var i = 0; i < 20; i++)
            people.Add(await scene.ConsentAsync(host, "gavinBelson"));

        await Task.WhenAll(people.Select(async person =>
        {
            using var back = await host.Api.GetAsync(person.WayBack);
            Assert.Equal(HttpStatusCode.Accepted, back.StatusCode);
            var syncId = (await AppUnderTest.ReadAsync(back)).GetProperty("syncId").GetString()!;
            var ended = await HostBesideSandbox.WaitForSyncAsync(
                host, person.UserId, syncId, s => s.Status is not (SyncState.WaitingForBank or SyncState.Fetching));
            Assert.True(ended is { Status: SyncState.Completed } or { Error.Code.Length: > 0 }, ended.ToString());
        }));
    }
}
