using System.Text;
using System.Text.Json;
using BasiqFunctions.Data.Changes;

namespace BasiqFunctions.Tests.Data.Changes;

/// <summary>A consumer that keeps a table in step by the feed, and holds what it is told against what it was told before.</summary>
internal sealed class Follower(ChangeScene scene, int limit = 100, string? accountId = null)
{
    public Dictionary<string, string> Transactions { get; private set; } = [];

    public Dictionary<string, string> Accounts { get; private set; } = [];

    /// <summary>What it was told, such as <c>added a1/t1</c>.</summary>
    public List<string> Told { get; } = [];

    public ChangePosition? At { get; private set; }

    public bool HasCaughtUp { get; private set; }

    /// <summary>Whether it may be told of the removal of what it never had: of a connection that ended meanwhile.</summary>
    public bool MayRemoveUnknown { get; set; }

    /// <summary>Reads a page. False where it is to begin again.</summary>
    public async Task<bool> StepAsync()
    {
        var result = await scene.Reader.ReadAsync(ChangeScene.User, new ChangeQuery(limit, At, accountId is null ? null : new(accountId)), default);
        if (result is ChangesResult.Expired)
        {
            (At, Transactions, Accounts, HasCaughtUp) = (null, [], [], false);
            return false;
        }

        var page = Assert.IsType<ChangesResult.Page>(result);
        Assert.False(page.HasMore && page.Changes.IsEmpty && page.Accounts.IsEmpty && accountId is null, "A page that has nothing leads on.");
        foreach (var change in Array(page.Accounts))
            Apply(Accounts, change, change.GetProperty("accountId").GetString()!, "account");
        var changes = Array(page.Changes).ToArray();
        Assert.True(changes.Length <= limit, "A page is longer than was asked for.");
        foreach (var change in changes)
            Apply(Transactions, change, $"{change.GetProperty("accountId").GetString()}/{change.GetProperty("transactionId").GetString()}", "transaction");
        (At, HasCaughtUp) = (page.Next, !page.HasMore);
        return true;
    }

    public async Task CatchUpAsync()
    {
        do
            await StepAsync();
        while (!HasCaughtUp);
    }

    /// <summary>Begins again from a place where it was before, with what it had there.</summary>
    public Action Remember()
    {
        var (at, transactions, accounts, caughtUp) = (At, new Dictionary<string, string>(Transactions), new Dictionary<string, string>(Accounts), HasCaughtUp);
        return () => (At, Transactions, Accounts, HasCaughtUp) =
            (at, new Dictionary<string, string>(transactions), new Dictionary<string, string>(accounts), caughtUp);
    }

    private static IEnumerable<JsonElement> Array(ReadOnlyMemory<byte> json) => json.IsEmpty ? [] : JsonElement.Parse(Encoding.UTF8.GetString(json.Span)).EnumerateArray();

    private void Apply(Dictionary<string, string> table, JsonElement change, string key, string body)
    {
        var type = change.GetProperty("type").GetString();
        Told.Add($"{type} {key}{(change.TryGetProperty("inferredFrom", out var origin) ? $" from {origin.GetString()}" : "")}");
        switch (type)
        {
            case "added":
                Assert.True(table.TryAdd(key, change.GetProperty(body).GetRawText()), $"{key} was added and is there.");
                break;
            case "modified":
                var now = change.GetProperty(body).GetRawText();
                Assert.True(table.TryGetValue(key, out var before), $"{key} was modified and is not there.");
                Assert.True(before != now, $"{key} was modified and is the same.");
                table[key] = now;
                break;
            default:
                Assert.Equal("removed", type);
                Assert.False(change.TryGetProperty(body, out _));
                Assert.True(table.Remove(key) || MayRemoveUnknown, $"{key} was removed and is not there.");
                break;
        }
    }
}
