using BasiqFunctions.Benchmarks.Reports;
using BasiqFunctions.Benchmarks.Simulation;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Exports;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>All transactions as a file: how fast, and that its memory does not grow with them.</summary>
internal sealed class Exports : IPart
{
    private const double Mebibyte = 1 << 20;

    public string Name => "exports";

    public async Task<PartReport> RunAsync(Effort effort)
    {
        int[] sizes = effort is Effort.Full ? [100_000, 1_000_000] : [10_000, 100_000];
        List<Row> rows = [];
        List<Goal> goals = [];
        foreach (var size in sizes)
        {
            using var stage = new SnapshotStage();
            var today = DateOnly.FromDateTime(DateTime.UtcNow);
            await stage.PublishAsync(await stage.StageAsync(Enumerable.Range(0, size).Select(i => SnapshotStage.Posted(i, today.AddDays(-i / 1_000), "Payment"))), []);
            foreach (var (name, format) in ((string, ExportFormat)[])[("CSV", ExportFormat.Csv), ("Parquet", ExportFormat.Parquet)])
            {
                long bytes = 0;
                var measure = await Measure.OfAsync(async () => bytes = await ExportAsync(stage, format));
                rows.Add(new Row(FormattableString.Invariant($"{name}, {size:N0}"), measure.Seconds, size / measure.Seconds, bytes / Mebibyte, measure.Peak));
                if (size == sizes[^1])
                    goals.Add(new Goal($"{name}: peak MiB over idle", measure.Peak, 100, IsLeast: false));
            }
        }

        return new PartReport(
            Name,
            "In this process, over files; the transactions are those of one account.",
            [new Table("A file", "format, transactions", [new("seconds", 2), new("transactions a second"), new("MiB", 1), new("peak MiB over idle")], rows)],
            goals);
    }

    private static async Task<long> ExportAsync(SnapshotStage stage, ExportFormat format)
    {
        var (export, _) = await stage.Exports.OpenAsync(SnapshotStage.User, new MergedQuery(new TransactionQuery()), default);
        await using var open = export ?? throw new InvalidOperationException("There is nothing.");
        await using var target = new Counting();
        await open.WriteAsync(format, target, default);
        return target.Written;
    }

    /// <summary>Nobody's disk or network counts.</summary>
    private sealed class Counting : Stream
    {
        public long Written { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Written += count;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Written += buffer.Length;
            return ValueTask.CompletedTask;
        }
    }
}
