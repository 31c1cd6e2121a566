using System.Diagnostics;
using System.Globalization;
using BasiqFunctions.Benchmarks.Arithmetic;
using BasiqFunctions.Benchmarks.Reports;
using BasiqFunctions.Benchmarks.Simulation;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.Platform.Ids;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>The change feed: what it adds to a publication, what it takes to read the whole of it, and how soon a consumer has a change.</summary>
internal sealed class Changes : IPart
{
    private const int Known = 10_000;
    private const int New = 20;

    public string Name => "changes";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        var (whole, rounds) = effort is Effort.Full ? (1_000_000, 50) : (100_000, 10);
        var (writing, lag, empty) = await FollowAsync(rounds);
        var reading = await ReadWholeAsync(whole);
        Row[] manifests = [.. ((int[])[0, 270, 1_800]).Select(ManifestOf)];
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
                new Table("The manifest, which every request reads", "publications kept, of one connection (3 and 20 a day for 90 days)", [new("KiB", 1), new("ms to parse", 2)], manifests),
            ],
            [
                new Goal("reading the whole: changes a second", whole / reading.Whole.Seconds, 100_000, IsLeast: true),
                new Goal("reading the whole: peak MiB over idle", reading.Whole.Peak, 50, IsLeast: false),
                new Goal("comparing the whole: peak MiB over idle", reading.Replacing.Peak, 100, IsLeast: false),
                new Goal("reading the changes of a publication: ms", lag, 1_000, IsLeast: false),
            ]);
    }

    private static Row ManifestOf(int parts)
    {
        var id = "0f3a7f0c-8d0e-4c4b-9d06-5a8f1c2b7e11";
        var manifest = SnapshotManifest.Empty with
        {
            RunId = new("sync-090a4545d8e4186c-20260101000000000"),
            FetchedAt = DateTimeOffset.UtcNow,
            Accounts = [.. Enumerable.Range(0, 4).Select(i => new ManifestAccount(new(id), new(id), "AU00000", new("s1"), DateTimeOffset.UtcNow, null, new RawJson("{}"u8.ToArray())))],
            SettledRuns = [.. Enumerable.Range(0, parts).Select(i => new RunId(FormattableString.Invariant($"sync-090a4545d8e4186c-2026010100000{i:D4}")))],
            Feed = ManifestFeed.Anew() with
            {
                Last = parts,
                Parts =
                [
                    .. Enumerable.Range(1, parts).Select(i => new FeedPart(
                        i, new(id), DateTimeOffset.UtcNow, new(FormattableString.Invariant($"sync-090a4545d8e4186c-2026010100000{i:D4}")), [new FeedLines("0a1b2c3d", 3, 24, 1, 4_321, 123, 3_456_789_012)])),
                ],
            },
        };
        var content = ChecksummedJson.Write(manifest, SnapshotJsonContext.Default.SnapshotManifest);
        List<double> took = [];
        for (var round = 0; round < 200; round++)
        {
            var start = Stopwatch.GetTimestamp();
            ChecksummedJson.Read("current.json", content, SnapshotJsonContext.Default.SnapshotManifest);
            took.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return new Row(FormattableString.Invariant($"{parts:N0}"), content.Length / 1024.0, Statistics.Median(took));
    }

    private static async Task<((double Milliseconds, double Kibibytes) Writing, double Lag, double Empty)> FollowAsync(int rounds)
    {
        using var stage = new SnapshotStage();
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        List<string> rows = [.. Enumerable.Range(0, Known).Select(i => SnapshotStage.Posted(i, today.AddDays(-i / 10), "Payment"))];
        await stage.PublishAsync(await stage.StageAsync(rows), []);
        var at = await stage.ReadAllAsync(null);
        List<double> writing = [], kibibytes = [], lags = [], empty = [];
        for (var round = 1; round <= rounds; round++)
        {
            rows.InsertRange(0, Enumerable.Range(0, New).Select(i => SnapshotStage.Posted(Known + (round * New) + i, today, "Payment")));
            var syncId = stage.NextSync();
            var kept = await stage.PlanAsync(syncId);
            var attempt = await stage.WriteAsync(syncId, rows.TakeWhile(row => row.Contains($"{today:yyyy-MM-dd}", StringComparison.Ordinal) || DayOf(row) >= kept.From));
            var bytes = stage.Bytes;
            var start = Stopwatch.GetTimestamp();
            await stage.PublishAsync((syncId, [attempt]), new() { [new("a1")] = new FetchedSpan(kept, 1, null, IsUnchanged: false) });
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
        using var stage = new SnapshotStage();
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

        IEnumerable<string> Rows(string words) => Enumerable.Range(0, count).Select(i => SnapshotStage.Posted(i, today.AddDays(-i / 1_000), words));
    }
}
