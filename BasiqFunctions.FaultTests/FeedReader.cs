using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace BasiqFunctions.FaultTests;

/// <summary>
/// A consumer of a user's changes beside the storm: it pauses, dies before it has kept a page and reads that again, all at random, and holds each
/// change against those before it. Nothing may come twice, and nothing be missing in between.
/// </summary>
internal sealed class FeedReader(Host host, Tally tally, string userId, int seed)
{
    private const int MostPerPage = 500;

    private readonly Random _random = new(seed);
    private string? _cursor;

    public string UserId => userId;

    /// <summary>The accounts by id, as it was told of them.</summary>
    public Dictionary<string, string> Accounts { get; } = new(StringComparer.Ordinal);

    /// <summary>The transactions by account and id.</summary>
    public Dictionary<(string AccountId, string Id), string> Transactions { get; } = [];

    /// <summary>How many changes it was told.</summary>
    public long Told { get; private set; }

    /// <summary>How often it was told to begin again.</summary>
    public int Restarts { get; private set; }

    /// <summary>Reads on until the storm is over.</summary>
    public async Task FollowAsync(CancellationToken over)
    {
        try
        {
            while (true)
            {
                await ReadAsync(mayDie: true, over);
                await Task.Delay(_random.Next(100, 1_500), over);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // What was under way has not been kept.
        }
    }

    /// <summary>Reads to the end, in the calm.</summary>
    public async Task CatchUpAsync(CancellationToken cancellation)
    {
        while (!await ReadAsync(mayDie: false, cancellation))
            await Task.Delay(10, cancellation);
    }

    /// <summary>Reads a page, if it can be had. True at the end of what there is.</summary>
    private async Task<bool> ReadAsync(bool mayDie, CancellationToken cancellation)
    {
        try
        {
            var query = $"users/{userId}/changes?limit={_random.Next(1, MostPerPage + 1)}{(_cursor is null ? "" : $"&cursor={_cursor}")}";
            using var answer = await host.Api.GetAsync(new Uri(query, UriKind.Relative), cancellation);
            var body = await answer.Content.ReadAsStringAsync(cancellation);
            switch (answer.StatusCode)
            {
                case HttpStatusCode.OK when mayDie && _random.Next(6) == 0:
                    return false;
                case HttpStatusCode.OK:
                    var page = JsonElement.Parse(body);
                    Apply(page);
                    return !page.GetProperty("hasMore").GetBoolean();
                case HttpStatusCode.Gone:
                    Restarts++;
                    Forget();
                    return false;
                case HttpStatusCode.NotFound when JsonElement.Parse(body).GetProperty("code").GetString() is "no-snapshot" or "consent-ended":
                    Forget();
                    return true;
                case HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                    return false;
                default:
                    tally.Violated($"Asked for the changes of {userId}, LocalHost answered {(int)answer.StatusCode}: {body}");
                    return true;
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException)
        {
            // LocalHost is being killed or started.
            return false;
        }
    }

    private void Apply(JsonElement page)
    {
        foreach (var change in page.TryGetProperty("accounts", out var accounts) ? accounts.EnumerateArray() : [])
            Apply(Accounts, change.GetProperty("accountId").GetString()!, change, "account");
        foreach (var change in page.GetProperty("changes").EnumerateArray())
        {
            Told++;
            Apply(Transactions, (change.GetProperty("accountId").GetString()!, change.GetProperty("transactionId").GetString()!), change, "transaction");
        }

        _cursor = page.GetProperty("nextCursor").GetString();
    }

    private void Apply<TKey>(Dictionary<TKey, string> table, TKey key, JsonElement change, string body)
        where TKey : notnull
    {
        var type = change.GetProperty("type").GetString();
        var isThere = table.ContainsKey(key);
        if (isThere == (type is "added"))
            tally.Violated($"A reader of {userId} is told that {key} was {type}, and it was {(isThere ? "" : "not ")}there.");
        if (type is "removed")
            table.Remove(key);
        else
            table[key] = change.GetProperty(body).GetRawText();
    }

    private void Forget()
    {
        Accounts.Clear();
        Transactions.Clear();
        _cursor = null;
    }
}
