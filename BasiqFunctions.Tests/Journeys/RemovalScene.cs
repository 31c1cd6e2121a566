using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>A sandbox, a LocalHost that is killed while it removes, and what must then be gone and what must have stayed.</summary>
#pragma warning disable CA1001 // DisposeAsync disposes of them.
public sealed class RemovalScene : IAsyncLifetime
#pragma warning restore CA1001
{
    internal HostBesideSandbox Hosts { get; private set; } = null!;

    public async Task InitializeAsync() => Hosts = await HostBesideSandbox.CreateAsync(
        new Dictionary<string, string> { ["JobDuration"] = "00:00:00.2", ["Webhooks"] = "false" }, "Sync:FirstPollDelay=00:00:00.1");

    public async Task DisposeAsync() => await Hosts.DisposeAsync();

    internal static async Task<string> ReceiptsAsync(LocalHostProcess host, string userId) =>
        await host.Api.GetStringAsync(new Uri($"users/{userId}/deletion-receipts", UriKind.Relative));

    internal async Task AssertGoneOnceAsync(LocalHostProcess host, string userId, string reason)
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

    /// <summary>All that was kept of somebody whom no removal was about is there, and so is the day on which it is looked at next.</summary>
    internal async Task AssertKeptAsync(LocalHostProcess host, string userId, string data)
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
    internal static async Task<string> DataOfAsync(LocalHostProcess host, string userId)
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
        [.. Directory.EnumerateFiles(Path.Combine(Hosts.StateFolder, "snapshots"), "*", SearchOption.AllDirectories)
            .Where(file => file.Contains($"/{userId}/", StringComparison.Ordinal))];

    /// <summary>
    /// The small records that name a user, receipts and what the team's backend is told of the removal excepted. A kill while somebody is
    /// written down as due can leave a row of a day to come (<see cref="DueWork"/>), which goes when that day's look finds nobody; DueTests count
    /// those where nothing is killed.
    /// </summary>
    private async Task<string> RecordsOfAsync(string userId) => (string)(await Hosts.AskAsync(
        "records.db",
        $"""
        SELECT coalesce(group_concat(name || ' ' || part || '/' || row), '') FROM records
        WHERE (part LIKE '%{userId}%' OR row LIKE '%{userId}%')
        AND name NOT IN ('BasiqReceipts', 'BasiqNotifications') AND NOT (name = 'BasiqDue' AND part > '{DueWork.DayOf(DateTimeOffset.UtcNow)}-ff' AND part < 'a')
        """))!;

    internal async Task<string> UserWithDataAsync(LocalHostProcess host)
    {
        var (userId, syncId) = await Hosts.StartSyncAsync(host, "Whistler");
        await HostBesideSandbox.CompletedAsync(host, userId, syncId);
        return userId;
    }

    /// <summary>Asks Basiq, past the app.</summary>
    internal async Task<HttpResponseMessage> AskBasiqAsync(string path)
    {
        await Hosts.SignInAsync();
        return await Hosts.Basiq.GetAsync(new Uri(path, UriKind.Relative));
    }
}
