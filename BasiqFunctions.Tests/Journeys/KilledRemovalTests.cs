using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Removal;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Notifications;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>LocalHost is killed with SIGKILL in a step of a removal, and started again.</summary>
[Trait("Category", "Journeys")]
public sealed class KilledRemovalTests(RemovalScene scene) : IClassFixture<RemovalScene>
{
    /// <summary>At Basiq a look, the syncs, a purge, the deletion; here the syncs again, the count, the data, the records, the histories, the receipt.</summary>
    private const int StepsOfUser = 10;

    /// <summary>The same without the syncs and their histories.</summary>
    private const int StepsOfConnection = 7;

    public static TheoryData<int> Steps => [.. Enumerable.Range(1, StepsOfUser)];

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Removals_of_a_user_and_of_a_connection_killed_in_any_step_end_once_with_one_receipt_of_what_was_there(int step)
    {
        await using var receiver = await Receiver.StartAsync();
        var host = await scene.Hosts.RunningAsync();
        using (var set = await host.Api.PutAsJsonAsync("notifications/subscription", new { url = receiver.Url, events = (string[])["data.removed"] }))
            Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        var (kept, userId, stays) = (await scene.UserWithDataAsync(host), await scene.UserWithDataAsync(host), await scene.UserWithDataAsync(host));
        var data = await RemovalScene.DataOfAsync(host, kept);
        var connectionId = (await host.Api.GetFromJsonAsync<JsonElement>($"users/{stays}/accounts")).GetProperty("accounts")[0].GetProperty("connection").GetString()!;
        Task<HttpResponseMessage>[] deleting =
        [
            host.Api.DeleteAsync(new Uri($"users/{userId}", UriKind.Relative)),
            host.Api.DeleteAsync(new Uri($"users/{stays}/connections/{connectionId}", UriKind.Relative)),
        ];
        await StepAsync(Removals.InstanceIdFor(new(userId), null), step);
        await StepAsync(Removals.InstanceIdFor(new(stays), new(connectionId)), Math.Min(step, StepsOfConnection));
        host.Kill();
        foreach (var answer in deleting)
            Assert.True(await Record.ExceptionAsync(() => answer) is null or HttpRequestException);
        host = await scene.Hosts.RestartAsync();
        await scene.AssertGoneOnceAsync(host, userId, "user-deleted");
        await AssertConnectionGoneOnceAsync(host, stays);

        // Told of each once, and of nobody else.
        await AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken), taken => taken.Length >= 2);
        Assert.Equal(new[] { userId, stays }.Order(), receiver.Taken.Select(message => message.Data.GetProperty("userId").GetString()).Order());

        await scene.AssertKeptAsync(host, kept, data);
    }

    /// <summary>A connection has gone with its data, here and at Basiq, and the user has not.</summary>
    private async Task AssertConnectionGoneOnceAsync(LocalHostProcess host, string userId)
    {
        await AppUnderTest.WaitForAsync(() => RemovalScene.ReceiptsAsync(host, userId), text => text.Contains("connection-deleted", StringComparison.Ordinal));
        var receipt = Assert.Single(JsonElement.Parse(await RemovalScene.ReceiptsAsync(host, userId)).GetProperty("receipts").EnumerateArray());
        Assert.True(receipt.GetProperty("accounts").GetInt32() > 0);
        Assert.Equal(0, (await host.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts")).GetProperty("accounts").GetArrayLength());
        foreach (var what in (string[])["connections", "accounts"])
        {
            using var left = await scene.AskBasiqAsync($"users/{userId}/{what}");
            Assert.Equal((HttpStatusCode.OK, 0), (left.StatusCode, (await AppUnderTest.ReadAsync(left)).GetProperty("data").GetArrayLength()));
        }
    }

    /// <summary>Waits until an activity of an orchestration has begun, the n-th of all its runs, or the orchestration has ended.</summary>
    private Task StepAsync(string instance, int step) => AppUnderTest.WaitForAsync(
        async () => Convert.ToInt64(
            await scene.Hosts.AskAsync("journal.db", $"SELECT count(*) FROM activity_runs WHERE instance_id = '{instance}'"), System.Globalization.CultureInfo.InvariantCulture),
        runs => runs >= step);
}
