using System.Net;
using System.Text.Json;

namespace BasiqFunctions.Tests.Sandbox;

/// <summary>What the sandbox's banks do by themselves: refreshes in the background, and what those find.</summary>
[Trait("Category", "Unit")]
public sealed class BackgroundRefreshTests
{
    [Fact]
    public async Task A_background_refresh_posts_what_was_pending_under_new_ids_and_finds_new_edited_and_back_dated_transactions()
    {
        await using var host = await SandboxHost.StartAsync(o => (o.TransactionsPerAccount, o.AccountsPerUser) = (1_000, 2));
        var userId = await host.UserWithBank();
        var accounts = await host.Accounts(userId);
        var before = await host.Transactions(userId);
        await host.SetOptions(new { newTransactions = 20, backDatedTransactions = 2, backDatedDays = 40, editedTransactions = 3 });

        Assert.Equal(1, (await host.Send(HttpMethod.Post, $"/_sandbox/background-refresh?userId={userId}", HttpStatusCode.Accepted)).GetProperty("connections").GetInt32());
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        var after = await host.Transactions(userId);

        var (first, second) = (Id(accounts[0]), Id(accounts[1]));
        var (old, now) = (Posted(before, first), Posted(after, first));
        Assert.Empty(old.Keys.Except(now.Keys));
        var added = now.Where(t => !old.ContainsKey(t.Key)).Select(t => t.Value).ToList();
        Assert.Equal(25, added.Count);
        Assert.Equal(2, added.Count(t => t.GetProperty("postDate").GetString()!.StartsWith("2026-02-04", StringComparison.Ordinal)));
        Assert.InRange(old.Count(t => now[t.Key].GetProperty("description").GetString() != t.Value.GetProperty("description").GetString()), 1, 3);
        Assert.Equal(Amounts(Pending(before, first)).Order(), Amounts(Pending(before, first)).Order().Where(Amounts(added).Contains));
        Assert.Empty(Pending(before, first).Select(Id).Intersect(after.Select(Id)));
        Assert.Equal(Raw(Posted(before, second).Values), Raw(Posted(after, second).Values));

        // A second refresh adds to the first and takes nothing of it back.
        await host.Send(HttpMethod.Post, "/_sandbox/background-refresh", HttpStatusCode.Accepted);
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        var last = await host.Transactions(userId);
        Assert.Empty(now.Keys.Except(Posted(last, first).Keys));
        Assert.Equal(now.Count + 25, Posted(last, first).Count);
        Assert.Equal(last.Count, last.Select(Id).Distinct().Count());
        foreach (var transaction in Posted(last, first).Values.Take(60))
            Assert.Equal(transaction.GetRawText(), (await host.Get($"/users/{userId}/transactions/{Id(transaction)}")).GetRawText());
        var days = Posted(last, first).Values.Select(t => t.GetProperty("postDate").GetString()!).ToList();
        Assert.Equal(days.OrderDescending(StringComparer.Ordinal), days);

        var visits = (await host.Get("/_sandbox/stats")).GetProperty("bankVisits");
        Assert.Equal((1, 2), (visits.GetProperty("asked").GetInt32(), visits.GetProperty("background").GetInt32()));
        var events = (await host.Get("/events")).GetProperty("data").EnumerateArray().ToList();
        Assert.Equal(3, events.Count(e => TypeOf(e) == "transactions.updated"));
        Assert.Equal(1, events.Count(e => TypeOf(e) == "account.updated"));
    }

    [Fact]
    public async Task Active_connections_are_refreshed_in_the_background_as_often_as_the_knob_says()
    {
        await using var host = await SandboxHost.StartAsync(o => o.BackgroundRefreshEvery = TimeSpan.FromHours(8));
        var userId = await host.UserWithBank();
        for (var i = 0; i < 3; i++)
            host.Clock.Advance(TimeSpan.FromHours(8));
        await host.SignIn();
        var jobs = (await host.Get($"/users/{userId}/jobs")).GetProperty("data");
        Assert.Equal(4, jobs.GetArrayLength());

        await host.SetOptions(new { backgroundRefreshEvery = "00:00:00" });
        host.Clock.Advance(TimeSpan.FromHours(24));
        await host.SignIn();
        Assert.Equal(4, (await host.Get($"/users/{userId}/jobs")).GetProperty("data").GetArrayLength());
    }

    [Theory]
    [InlineData("backgroundRefreshEvery", "-00:00:01")]
    [InlineData("newTransactions", -1)]
    [InlineData("backDatedDays", -1)]
    [InlineData("editedTransactions", 101)]
    public async Task Knobs_that_make_no_sense_are_refused_by_name(string name, object value)
    {
        await using var host = await SandboxHost.StartAsync();
        var error = await host.Error(HttpMethod.Patch, "/_sandbox/options", HttpStatusCode.BadRequest, new Dictionary<string, object> { [name] = value });
        Assert.Contains(name, error.GetRawText(), StringComparison.OrdinalIgnoreCase);
    }

    private static string Id(JsonElement thing) => thing.GetProperty("id").GetString()!;

    private static string TypeOf(JsonElement happened) => $"{happened.GetProperty("entity").GetString()}.{happened.GetProperty("eventType").GetString()}";

    private static Dictionary<string, JsonElement> Posted(IEnumerable<JsonElement> transactions, string account) =>
        transactions.Where(t => t.GetProperty("account").GetString() == account && t.GetProperty("status").GetString() == "posted").ToDictionary(Id);

    private static IEnumerable<JsonElement> Pending(IEnumerable<JsonElement> transactions, string account) =>
        transactions.Where(t => t.GetProperty("account").GetString() == account && t.GetProperty("status").GetString() == "pending");

    private static string[] Amounts(IEnumerable<JsonElement> transactions) => [.. transactions.Select(t => t.GetProperty("amount").GetString()!)];

    private static string[] Raw(IEnumerable<JsonElement> transactions) => [.. transactions.Select(t => t.GetRawText())];
}
