using System.Diagnostics;
using BasiqFunctions.Benchmarks.Arithmetic;
using BasiqFunctions.Benchmarks.Reports;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>Many syncs at once: time, requests, memory and journal.</summary>
internal sealed class SyncsAtOnce : IPart
{
    private const int Accounts = 3;
    private const int Transactions = 1_000;
    private const int PageSize = 500;
    private const double Mebibyte = 1 << 20;

    public string Name => "syncs";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        List<Row> rows = [];
        List<Goal> goals = [];
        foreach (var syncs in effort is Effort.Full ? (int[])[1, 100, 500, 2_000] : [50])
        {
            await using var stage = await SyncStage.StartAsync(Accounts, Transactions);
            var people = await stage.ConsentAsync(syncs);
            await stage.BeginAsync();
            var (idle, journal) = (stage.Host.ResidentBytes, stage.State.SizeOf("journal.db"));
            var start = Stopwatch.GetTimestamp();
            await stage.SyncAsync(people);
            var took = Stopwatch.GetElapsedTime(start);
            var requests = await stage.RequestsAsync();
            var least = LeastRequests.Of(syncs, Accounts, Transactions, PageSize);
            rows.Add(new Row(
                FormattableString.Invariant($"{syncs:N0}"),
                took.TotalSeconds,
                took.TotalMilliseconds / syncs,
                requests,
                requests / (double)least,
                (stage.Host.PeakBytes - idle) / Mebibyte,
                (stage.State.SizeOf("journal.db") - journal) / 1024.0 / syncs));
            if (syncs is 500 or 50)
            {
                goals.Add(new Goal(
                    FormattableString.Invariant($"{syncs} syncs at once: requests beyond the least, in %"),
                    100.0 * (requests - least) / least, 5, IsLeast: false));
            }
        }

        return new PartReport(
            Name,
            FormattableString.Invariant(
                $"{Accounts} accounts of {Transactions:N0} transactions each, jobs that are done; the sandbox and LocalHost each a process of its own, all syncs started at the same time in a LocalHost that has run no sync before."),
            [
                new Table(
                    "Syncs at once",
                    "syncs",
                    [
                        new("seconds", 2), new("ms per sync", 1), new("requests"), new("requests / least", 3), new("peak MiB over idle"),
                        new("journal KiB per sync", 1),
                    ],
                    rows),
            ],
            goals);
    }
}
