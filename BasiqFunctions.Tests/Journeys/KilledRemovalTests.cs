using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Removal;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Notifications;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>LocalHost is killed with SIGKILL in each step of a removal and of a daily pass, and started again.</summary>
#pragma warning disable CA1001 // DisposeAsync disposes of them.
[Trait("Category", "Journeys")]
public sealed class KilledRemovalTests : IAsyncLifetime
#pragma warning restore CA1001
{
    /// <summary>At Basiq a look, the syncs, a purge, the deletion; here the syncs again, the count, the data, the records, the histories, the receipt.</summary>
    private const int StepsOfUser = 10;

    /// <summary>The same without the syncs and their histories.</summary>
    private const int StepsOfConnection = 7;

    private HostBesideSandbox _scene = null!;

    public async Task InitializeAsync() => _scene = await HostBesideSandbox.CreateAsync(
        new Dictionary<string, string> { ["JobDuration"] = "00:00:00.2", ["Webhooks"] = "false" }, "Sync:FirstPollDelay=00:00:00.1");

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    [Fact]
    public async Task Removals_of_a_user_and_of_a_connection_killed_in_each_of_their_steps_end_once_with_one_receipt_of_what_was_there()
    {
        await using var receiver = await Receiver.StartAsync();
        List<string> gone = [];
        var host = await _scene.StartHostAsync();
        try
        {
            using (var set = await host.Api.PutAsJsonAsync("notifications/subscription", new { url = receiver.Url, events = (string[])["data.removed"] }))
                Assert.Equal(HttpStatusCode.OK, set.StatusCode);
            var kept = await UserWithDataAsync(host);
            var data = await DataOfAsync(host, kept);
            for (var step = 1; step <= StepsOfUser; step++)
            {
                var (userId, stays) = (await UserWithDataAsync(host), await UserWithDataAsync(host));
                var connectionId = (await host.Api.GetFromJsonAsync<JsonElement>($"users/{stays}/accounts")).GetProperty("accounts")[0].GetProperty("connection").GetString()!;
                Task<HttpResponseMessage>[] deleting =
                [
                    host.Api.DeleteAsync(new Uri($"users/{userId}", UriKind.Relative)),
                    host.Api.DeleteAsync(new Uri($"users/{stays}/connections/{connectionId}", UriKind.Relative)),
                ];
                await StepAsync(Removals.InstanceIdFor(userId, null), step);
                await StepAsync(Removals.InstanceIdFor(stays, connectionId), Math.Min(step, StepsOfConnection));
                host.Kill();
                foreach (var answer in deleting)
                    Assert.True(await Record.ExceptionAsync(() => answer) is null or HttpRequestException);
                _scene.Kill(host);
                host = await _scene.StartHostAsync();
                await AssertGoneOnceAsync(host, userId, "user-deleted");
                await AssertConnectionGoneOnceAsync(host, stays);
                gone.AddRange([userId, stays]);
            }

            // Told of each, of each once, and of nobody else.
            await AppUnderTest.WaitForAsync(() => Task.FromResult(receiver.Taken), taken => taken.Length >= gone.Count);
            Assert.Equal(gone.Order(), receiver.Taken.Select(message => message.Data.GetProperty("userId").GetString()).Order());

            await AssertKeptAsync(host, kept, data);
        }
        finally
        {
            host.Dispose();
        }
    }

    [SkippableFact]
    public async Task A_daily_pass_killed_in_each_of_its_steps_ends_with_one_receipt_of_each_user_whose_consent_has_ended()
    {
        // Who is fetched yesterday is due today.
        using var clock = new SettableClock();
        clock.Set(TimeSpan.FromDays(-1));
        List<string> gone = [];
        string kept;
        string data;
        var yesterday = await _scene.StartHostAsync(clock.Environment);
        try
        {
            kept = await UserWithDataAsync(yesterday);
            data = await DataOfAsync(yesterday, kept);
            for (var i = 0; i < 2; i++)
                gone.Add(await UserWithDataAsync(yesterday));
        }
        finally
        {
            _scene.Kill(yesterday);
        }

        foreach (var userId in gone)
            await RevokeAsync(userId);
        await using (var journal = Journal.Open(Path.Combine(_scene.StateFolder, "journal.db")))
        {
            var (last, next) = (await journal.FindTimerAsync("StartDuePass", CancellationToken.None))!.Value;
            await journal.SaveTimerAsync("StartDuePass", last, next - TimeSpan.FromDays(2));
        }

        LocalHostProcess? host = null;
        try
        {
            foreach (var step in (string[])
                [nameof(DueActivities.BeginDuePass), nameof(DueActivities.SeedDue), nameof(DueActivities.DoDue), nameof(DueActivities.SettleAbsences), nameof(DueActivities.EndDuePass)])
            {
                host = await _scene.StartHostAsync();
                await BegunAsync(step);
                _scene.Kill(host);
            }

            host = await _scene.StartHostAsync();
            foreach (var userId in gone)
                await AssertGoneOnceAsync(host, userId, "consent-revoked");
            await AssertKeptAsync(host, kept, data);
        }
        finally
        {
            host?.Dispose();
        }
    }

    private static async Task<string> ReceiptsAsync(LocalHostProcess host, string userId) =>
        await host.Api.GetStringAsync(new Uri($"users/{userId}/deletion-receipts", UriKind.Relative));

    private async Task AssertGoneOnceAsync(LocalHostProcess host, string userId, string reason)
    {
        await AppUnderTest.WaitForAsync(() => ReceiptsAsync(host, userId), text => text.Contains(reason, StringComparison.Ordinal));
        var receipt = Assert.Single(JsonElement.Parse(await ReceiptsAsync(host, userId)).GetProperty("receipts").EnumerateArray());
        Assert.True(receipt.GetProperty("accounts").GetInt32() > 0);
        Assert.Empty(FilesOf(userId));
        if (reason is "user-deleted")
        {
            using var user = await AskBasiqAsync($"users/{userId}");
            Assert.Equal(HttpStatusCode.NotFound, user.StatusCode);
        }

        // An event about the connection may be at work, which notes what it then finds nobody may keep.
        await AppUnderTest.WaitForAsync(() => RecordsOfAsync(userId), records => records.Length == 0);
    }

    /// <summary>A connection has gone with its data, here and at Basiq, and the user has not.</summary>
    private async Task AssertConnectionGoneOnceAsync(LocalHostProcess host, string userId)
    {
        await AppUnderTest.WaitForAsync(() => ReceiptsAsync(host, userId), text => text.Contains("connection-deleted", StringComparison.Ordinal));
        var receipt = Assert.Single(JsonElement.Parse(await ReceiptsAsync(host, userId)).GetProperty("receipts").EnumerateArray());
        Assert.True(receipt.GetProperty("accounts").GetInt32() > 0);
        Assert.Equal(0, (await host.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts")).GetProperty("accounts").GetArrayLength());
        foreach (var what in (string[])["connections", "accounts"])
        {
            using var left = await AskBasiqAsync($"users/{userId}/{what}");
            Assert.Equal((HttpStatusCode.OK, 0), (left.StatusCode, (await AppUnderTest.ReadAsync(left)).GetProperty("data").GetArrayLength()));
        }
    }

    /// <summary>All that was kept of somebody whom no removal was about is there, and so is the day on which it is looked at next.</summary>
    private async Task AssertKeptAsync(LocalHostProcess host, string userId, string data)
    {
        Assert.Contains("\"transactions\":[{", data, StringComparison.Ordinal);
        Assert.Equal(data, await DataOfAsync(host, userId));
        Assert.Contains("days", await RecordsOfAsync(userId), StringComparison.Ordinal);
        Assert.Empty(JsonElement.Parse(await ReceiptsAsync(host, userId)).GetProperty("receipts").EnumerateArray());
    }

    /// <summary>
    /// A user's accounts and the newest transactions of each, as callers are given them, but for when they were fetched: the daily look may have
    /// fetched the same once more.
    /// </summary>
    private static async Task<string> DataOfAsync(LocalHostProcess host, string userId)
    {
        var accounts = await ReadAsync("accounts");
        List<string> data = [accounts.ToJsonString()];
        foreach (var account in accounts["accounts"]!.AsArray())
            data.Add((await ReadAsync($"accounts/{account!["id"]}/transactions?limit=500")).ToJsonString());
        return string.Join('\n', data);

        async Task<JsonObject> ReadAsync(string what)
        {
            var read = (await host.Api.GetFromJsonAsync<JsonObject>($"users/{userId}/{what}"))!;
            foreach (var mark in (string[])["syncId", "fetchedAt", "fullAsOf", "nextCursor"])
                read.Remove(mark);
            return read;
        }
    }

    private string[] FilesOf(string userId) =>
        [.. Directory.EnumerateFiles(Path.Combine(_scene.StateFolder, "snapshots"), "*", SearchOption.AllDirectories)
            .Where(file => file.Contains($"/{userId}/", StringComparison.Ordinal))];

    /// <summary>The small records that name a user, receipts and what the team's backend is told of the removal excepted.</summary>
    private async Task<string> RecordsOfAsync(string userId) => (string)(await _scene.AskAsync(
        "records.db",
        $"SELECT coalesce(group_concat(name || ' ' || part || '/' || row), '') FROM records WHERE name NOT IN ('BasiqReceipts', 'BasiqNotifications') AND (part LIKE '%{userId}%' OR row LIKE '%{userId}%')"))!;

    private async Task<string> UserWithDataAsync(LocalHostProcess host)
    {
        var (userId, syncId) = await _scene.StartSyncAsync(host, "Whistler");
        await HostBesideSandbox.CompletedAsync(host, userId, syncId);
        return userId;
    }

    /// <summary>Waits until an activity of an orchestration has begun, the n-th of all its runs, or the orchestration has ended.</summary>
    private Task StepAsync(string instance, int step) => AppUnderTest.WaitForAsync(
        async () => Convert.ToInt64(
            await _scene.AskAsync("journal.db", $"SELECT count(*) FROM activity_runs WHERE instance_id = '{instance}'"), System.Globalization.CultureInfo.InvariantCulture),
        runs => runs >= step);

    /// <summary>Waits until a daily pass has asked for an activity.</summary>
    private Task BegunAsync(string activity) => AppUnderTest.WaitForAsync(
        () => _scene.AskAsync("journal.db", $"SELECT count(*) FROM turns WHERE instance_id LIKE 'due-%' AND events LIKE '%\"{activity}\"%'"),
        turns => turns is > 0L);

    private async Task RevokeAsync(string userId)
    {
        using var listed = await AskBasiqAsync($"users/{userId}/consents");
        using var revoked = await _scene.Basiq.DeleteAsync(
            new Uri($"users/{userId}/consents/{(await AppUnderTest.ReadAsync(listed)).GetProperty("data")[0].GetProperty("id").GetString()}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
    }

    /// <summary>Asks Basiq, past the app.</summary>
    private async Task<HttpResponseMessage> AskBasiqAsync(string path)
    {
        using var mint = new HttpRequestMessage(HttpMethod.Post, new Uri("token", UriKind.Relative))
        {
            Content = new FormUrlEncodedContent([new("scope", "SERVER_ACCESS")]),
        };
        mint.Headers.TryAddWithoutValidation("Authorization", $"Basic {SandboxOptions.DefaultApiKey}");
        mint.Headers.Add("basiq-version", "3.0");
        using var minted = await _scene.Basiq.SendAsync(mint);
        _scene.Basiq.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", (await AppUnderTest.ReadAsync(minted)).GetProperty("access_token").GetString());
        return await _scene.Basiq.GetAsync(new Uri(path, UriKind.Relative));
    }
}
