using System.Diagnostics;
using System.Globalization;
using BasiqFunctions.Benchmarks.Reports;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>
/// A day of people whose banks Basiq refreshes in the background: what each refresh asks of Basiq, how soon it can be read, and what a
/// transaction takes on disk.
/// </summary>
internal sealed class Refreshes : IPart
{
    private const int Accounts = 4;
    private const int Transactions = 10_000;
    private const int RefreshesOfDay = 3;
    private const double WantedSeconds = 2;

    /// <summary>More of them: REFRESH_PEOPLE=1000 dotnet run …</summary>
    private static readonly int People = int.Parse(Environment.GetEnvironmentVariable("REFRESH_PEOPLE") ?? "20", CultureInfo.InvariantCulture);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    public string Name => "refreshes";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        var people = effort is Effort.Full ? People : 2;
        await using var stage = await SyncStage.StartAsync(Accounts, Transactions, "--Sandbox:NewTransactions=17", "--Sync:GatherNewsFor=00:00:00.500");
        var consented = await stage.ConsentAsync(people);
        await stage.BeginAsync();
        foreach (var person in consented)
            await stage.SyncAsync([person]);
        var first = await stage.StatsAsync();
        var bytesOnDisk = stage.State.SizeOf("snapshots");
        await stage.SubscribeAsync();
        await stage.BeginAsync();

        List<double> seconds = [];
        for (var refresh = 0; refresh < RefreshesOfDay; refresh++)
        {
            foreach (var (userId, _) in consented)
                seconds.Add(await RefreshAsync(stage, userId));
        }

        var stats = await stage.StatsAsync();
        double count = people * RefreshesOfDay;
        double Requests(string endpoint) => stats.GetProperty("requests").TryGetProperty(endpoint, out var n) ? n.GetInt64() / count : 0;
        double OfAll() => stats.GetProperty("requests").EnumerateObject().Sum(r => r.Value.GetInt64()) / count;
        return new PartReport(
            Name,
            FormattableString.Invariant($"{people} people with {Accounts} accounts of {Transactions:N0} transactions, {RefreshesOfDay} background refreshes each, which find 20 new transactions; news are gathered for 0.5 s."),
            [
                new Table(
                    "A background refresh",
                    "of one person",
                    [new("bank visits", 1), new("lists of accounts", 1), new("requests for transactions", 1), new("requests in all", 1), new("KB of transactions"), new("seconds to be read, median", 2), new("at most", 2)],
                    [
                        new Row(
                            "each",
                            stats.GetProperty("bankVisits").GetProperty("asked").GetInt64() / count,
                            Requests("GET /users/{userId}/accounts"),
                            Requests("GET /users/{userId}/transactions"),
                            OfAll(),
                            stats.GetProperty("transactionBytes").GetInt64() / count / 1_000,
                            Median(seconds),
                            seconds.Max()),
                    ]),
                new Table(
                    "A transaction",
                    "of the first sync",
                    [new("bytes from Basiq"), new("bytes on disk", 1), new("bytes on disk after the day", 1)],
                    [
                        new Row(
                            "each",
                            (double)first.GetProperty("transactionBytes").GetInt64() / (people * Accounts * Transactions),
                            (double)bytesOnDisk / (people * Accounts * Transactions),
                            (double)stage.State.SizeOf("snapshots") / (people * ((Accounts * Transactions) + (RefreshesOfDay * 20)))),
                    ]),
            ],
            [
                new Goal("seconds from a background refresh to its news, at most", seconds.Max(), WantedSeconds, IsLeast: false),
                new Goal("bank visits", stats.GetProperty("bankVisits").GetProperty("asked").GetInt64(), 0, IsLeast: false),
            ]);
    }

    /// <summary>The time from a refresh to when its news can be read.</summary>
    private static async Task<double> RefreshAsync(SyncStage stage, string userId)
    {
        var before = await SyncOfAsync(stage, userId);
        var start = Stopwatch.GetTimestamp();
        await stage.RefreshInBackgroundAsync(userId);
        while (await SyncOfAsync(stage, userId) == before)
            await Task.Delay(Pause);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<string> SyncOfAsync(SyncStage stage, string userId)
    {
        var accounts = await stage.AskAsync($"users/{userId}/accounts");
        return $"{accounts.GetProperty("syncId")} {accounts.GetProperty("fetchedAt")}";
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
