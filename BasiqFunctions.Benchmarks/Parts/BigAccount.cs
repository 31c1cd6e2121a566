using System.Diagnostics;
using System.Globalization;
using BasiqFunctions.Benchmarks.Arithmetic;
using BasiqFunctions.Benchmarks.Reports;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>One account, larger and larger: time by page against the upstream alone, memory, bytes written.</summary>
internal sealed class BigAccount : IPart
{
    private const int PageSize = 500;
    private const double Mebibyte = 1 << 20;
    private const double WantedMebibytes = 100;

    public string Name => "big-account";

    /// <summary>The report as a plot: what a page costs, the larger the account.</summary>
    public static string Plotted(PartReport report)
    {
        var rows = report.Tables[0].Rows;
        return Plot.Of(
            "A page of 500 transactions, by the size of the account", "transactions in the account", "milliseconds a page",
            ("synced by LocalHost", Line(1)), ("the upstream alone", Line(2)));

        (double Size, double Cost)[] Line(int column) =>
            [.. rows.Select(row => (double.Parse(row.Label, NumberStyles.AllowThousands, CultureInfo.InvariantCulture), row.Values[column]!.Value))];
    }

    public async Task<PartReport> RunAsync(Effort effort)
    {
        List<Row> rows = [];
        var peak = 0.0;
        foreach (var transactions in effort is Effort.Full ? (int[])[10_000, 100_000, 1_000_000] : [100_000])
        {
            await using var stage = await SyncStage.StartAsync(accounts: 1, transactions);
            var people = await stage.ConsentAsync(1);
            await stage.BeginAsync();
            var idle = stage.Host.ResidentBytes;
            var start = Stopwatch.GetTimestamp();
            await stage.SyncAsync(people);
            var took = Stopwatch.GetElapsedTime(start);
            peak = (stage.Host.PeakBytes - idle) / Mebibyte;
            start = Stopwatch.GetTimestamp();
            await stage.FetchAloneAsync(people[0].UserId);
            var alone = Stopwatch.GetElapsedTime(start);
            var pages = LeastRequests.PagesOf(transactions, PageSize);
            rows.Add(new Row(
                FormattableString.Invariant($"{transactions:N0}"),
                took.TotalSeconds,
                took.TotalMilliseconds / pages,
                alone.TotalMilliseconds / pages,
                took / alone,
                peak,
                stage.State.SizeOf("snapshots") / Mebibyte,
                stage.State.SizeOf("journal.db") / Mebibyte));
        }

        return new PartReport(
            Name,
            "One account; the sandbox and LocalHost each a process of its own. Upstream alone: the same pages, fetched one after another by a client that does nothing with them, after the sync.",
            [
                new Table(
                    "One account",
                    "transactions",
                    [
                        new("seconds", 2), new("ms per page", 2), new("upstream alone, ms per page", 2), new("/ alone", 2),
                        new("peak MiB over idle"), new("snapshot MiB", 1), new("journal MiB", 1),
                    ],
                    rows),
            ],
            [new Goal("largest account: peak MiB over idle", peak, WantedMebibytes, IsLeast: false)]);
    }
}
