using System.Diagnostics;
using System.Globalization;
using System.Text;
using BasiqFunctions.Benchmarks.Arithmetic;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Benchmarks.Reports;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.LocalHost.Data;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>The change feed: what it adds to a publication, what it takes to read the whole of it, and how soon a consumer has a change.</summary>
internal sealed class Changes : IPart
{
    private const string User = "user-1";
    private const string Account = """{"type":"account","id":"a1","connection":"c1","institution":"AU00000","balance":"1.00"}""";
    private const double Mebibyte = 1 << 20;
    private const int Known = 10_000;
    private const int New = 20;

    public string Name => "changes";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        var (whole, rounds) = effort is Effort.Full ? (1_000_000, 50) : (100_000, 10);
        var (writing, lag, empty) = await FollowAsync(rounds);
        var reading = await ReadWholeAsync(whole);
        return new PartReport(
            Name,
            FormattableString.Invariant(
                $"In this process, over files and SQLite. A publication: {New} transactions are new in {Known:N0} of one account, fetched in part; medians of {rounds}. The lag is from the end of the publication to the changes in the consumer's hands. The whole: {whole:N0} transactions of one account, in pages of {ChangeQuery.MaxLimit}."),
            [
                new Table("A publication and its consumer", "what", [new("ms", 2), new("KiB of changes", 1)],
                [
                    new Row("publication", writing.Milliseconds, writing.Kibibytes),
                    new Row("reading its changes", lag, null),
                    new Row("reading nothing", empty, null),
                ]),
                new Table("The whole", "what", [new("seconds", 2), new("changes a second"), new("peak MiB over idle")],
                [
                    new Row("first publication", reading.Publishing.Seconds, null, reading.Publishing.Peak),
                    new Row("reading all of it as added", reading.Whole.Seconds, whole / reading.Whole.Seconds, reading.Whole.Peak),
                    new Row("publication of it once more, all modified", reading.Replacing.Seconds, whole / reading.Replacing.Seconds, reading.Replacing.Peak),
                    new Row("reading all of it as modified", reading.Parts.Seconds, whole / reading.Parts.Seconds, reading.Parts.Peak),
                ]),
            ],
            [
                new Goal("reading the whole: changes a second", whole / reading.Whole.Seconds, 100_000, IsLeast: true),
                new Goal("reading the whole: peak MiB over idle", reading.Whole.Peak, 50, IsLeast: false),
                new Goal("comparing the whole: peak MiB over idle", reading.Replacing.Peak, 100, IsLeast: false),
                new Goal("reading the changes of a publication: ms", lag, 1_000, IsLeast: false),
            ]);
    }

    private static string Posted(int number, DateOnly day, string words) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"type":"transaction","id":"{{number:x8}}-4f7a-11ee","status":"posted","description":"{{words}} {{number}}","amount":"-{{number % 900}}.10","account":"a1","balance":"{{number}}.00","direction":"debit","class":"payment","institution":"AU00000","connection":"c1","postDate":"{{day:yyyy-MM-dd}}T00:00:00Z","transactionDate":null,"currency":"AUD","subClass":{"code":"411","title":"Supermarket and Grocery Stores"},"links":{"self":"https://au-api.basiq.io/users/user-1/transactions/{{number:x8}}-4f7a-11ee"} }""");

    private static async Task<((double Milliseconds, double Kibibytes) Writing, double Lag, double Empty)> FollowAsync(int rounds)
    {
        using var stage = new Stage();
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        List<string> rows = [.. Enumerable.Range(0, Known).Select(i => Posted(i, today.AddDays(-i / 10), "Payment"))];
        await stage.PublishAsync(await stage.StageAsync(rows), []);
        var at = await stage.ReadAllAsync(null);
        List<double> writing = [], kibibytes = [], lags = [], empty = [];
        for (var round = 1; round <= rounds; round++)
        {
            rows.InsertRange(0, Enumerable.Range(0, New).Select(i => Posted(Known + (round * New) + i, today, "Payment")));
            var syncId = stage.NextSync();
            var kept = await stage.PlanAsync(syncId);
            var attempt = await stage.WriteAsync(syncId, rows.TakeWhile(row => row.Contains($"{today:yyyy-MM-dd}", StringComparison.Ordinal) || DayOf(row) >= kept.From));
            var bytes = stage.Bytes;
            var start = Stopwatch.GetTimestamp();
            await stage.PublishAsync((syncId, [attempt]), new() { ["a1"] = new FetchedSpan(kept, 1, null, IsUnchanged: false) });
            writing.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            kibibytes.Add((stage.Bytes - bytes) / 1024.0);
            start = Stopwatch.GetTimestamp();
            var read = await stage.ReadAllAsync(at);
            lags.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if (read == at)
                throw new InvalidOperationException("The publication has changed nothing.");
            start = Stopwatch.GetTimestamp();
            at = await stage.ReadAllAsync(read);
            empty.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return ((Statistics.Median(writing), Statistics.Median(kibibytes)), Statistics.Median(lags), Statistics.Median(empty));
    }

    private static DateOnly DayOf(string row)
    {
        var from = row.IndexOf("\"postDate\":\"", StringComparison.Ordinal) + 12;
        return DateOnly.ParseExact(row.AsSpan(from, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture);
    }

    private static async Task<(Measure Publishing, Measure Whole, Measure Replacing, Measure Parts)> ReadWholeAsync(int count)
    {
        using var stage = new Stage();
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        var first = await stage.StageAsync(Rows("Payment"));
        var publishing = await Measure.OfAsync(() => stage.PublishAsync(first, []));
        ChangePosition at = null!;
        var whole = await Measure.OfAsync(async () => at = await stage.ReadAllAsync(null));
        var second = await stage.StageAsync(Rows("Card payment"));
        var replacing = await Measure.OfAsync(() => stage.PublishAsync(second, []));
        var parts = await Measure.OfAsync(async () => at = await stage.ReadAllAsync(at));
        return stage.Read == 2 * count
            ? (publishing, whole, replacing, parts)
            : throw new InvalidOperationException($"{stage.Read} changes were read, and should be {2 * count}.");

        IEnumerable<string> Rows(string words) => Enumerable.Range(0, count).Select(i => Posted(i, today.AddDays(-i / 1_000), words));
    }

    /// <summary>What something took, and by how much the heap grew meanwhile at most.</summary>
    private sealed record Measure(double Seconds, double Peak)
    {
        public static async Task<Measure> OfAsync(Func<Task> act)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            var (idle, peak) = (GC.GetTotalMemory(forceFullCollection: true), 0L);
            using var ended = new CancellationTokenSource();
            var watching = Task.Run(async () =>
            {
                while (!ended.IsCancellationRequested)
                {
                    peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false));
                    await Task.Delay(5, CancellationToken.None);
                }
            });
            var start = Stopwatch.GetTimestamp();
            await act();
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            await ended.CancelAsync();
            await watching;
            return new Measure(seconds, Math.Max(0, peak - idle) / Mebibyte);
        }
    }

    private sealed class Stage : IDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly SqliteRecordTables _tables;
        private readonly SnapshotStore _store;
        private readonly ChangeReader _reader;
        private int _syncs;

        public Stage()
        {
            var storage = new FileSnapshotStorage(Path.Combine(_folder.Path, "snapshots"), TimeProvider.System);
            _tables = SqliteRecordTables.Open(Path.Combine(_folder.Path, "records.db"));
            var snapshots = Options.Create(new SnapshotOptions());
            var changes = Options.Create(new ChangeOptions());
            _store = new SnapshotStore(storage, snapshots, changes, TimeProvider.System, NullLogger<SnapshotStore>.Instance);
            _reader = new ChangeReader(
                _store, storage, new DueWork(((IRecordTables)_tables).Open("BasiqDue"), TimeProvider.System), snapshots, changes, TimeProvider.System);
        }

        /// <summary>How many changes of transactions were read.</summary>
        public long Read { get; private set; }

        /// <summary>What lies in the files of changes.</summary>
        public long Bytes => new DirectoryInfo(Path.Combine(_folder.Path, "snapshots")).EnumerateFiles("changes-*", SearchOption.AllDirectories).Sum(file => file.Length);

        public string NextSync() => string.Create(CultureInfo.InvariantCulture, $"s{++_syncs}");

        public async Task<(string SyncId, string[] Attempts)> StageAsync(IEnumerable<string> rows)
        {
            var syncId = NextSync();
            await _store.StageAccountsAsync(User, syncId, [Encoding.UTF8.GetBytes(Account)], default);
            List<string> attempts = [];
            foreach (var some in rows.Chunk(10_000))
                attempts.Add(await WriteAsync(syncId, some, attempts.Count));
            return (syncId, [.. attempts]);
        }

        public async Task<KeptSpan> PlanAsync(string syncId)
        {
            await _store.StageAccountsAsync(User, syncId, [Encoding.UTF8.GetBytes(Account)], default);
            var plan = await _store.PlanAsync(
                User, syncId, [("a1", Encoding.UTF8.GetBytes(Account))], new FetchRules(TimeSpan.FromDays(14), TimeSpan.FromDays(30), IsFull: false), default);
            return plan[0].Kept ?? throw new InvalidOperationException("The whole would be fetched.");
        }

        public async Task<string> WriteAsync(string syncId, IEnumerable<string> rows, int number = 0)
        {
            await using var segment = await _store.BeginSegmentAsync(User, syncId, "a1", number, default);
            foreach (var row in rows)
                segment.Append(Encoding.UTF8.GetBytes(row));
            return (await segment.CompleteAsync(default)).Attempt;
        }

        public async Task PublishAsync((string SyncId, string[] Attempts) sync, Dictionary<string, FetchedSpan> spans)
        {
            var published = await _store.PublishAsync(
                new SnapshotPublication(User, sync.SyncId, DateTimeOffset.UtcNow, ["c1"], new Dictionary<string, IReadOnlyList<string>> { ["a1"] = sync.Attempts }) { Spans = spans },
                default);
            if (published.Outcome is not PublishOutcome.Published)
                throw new InvalidOperationException($"{published.Outcome}");
        }

        public async Task<ChangePosition> ReadAllAsync(ChangePosition? after)
        {
            while (true)
            {
                if (await _reader.ReadAsync(User, new ChangeQuery(ChangeQuery.MaxLimit, after), default) is not ChangesResult.Page page)
                    throw new InvalidOperationException("There is no page.");
                Read += Count(page.Changes.Span);
                after = page.Next;
                if (!page.HasMore)
                    return after;
            }
        }

        public void Dispose()
        {
            _tables.Dispose();
            _folder.Dispose();
        }

        private static int Count(ReadOnlySpan<byte> changes) => changes.Count("\"transactionId\":"u8);
    }
}
