using BasiqFunctions.Benchmarks.Micro;
using BasiqFunctions.Benchmarks.Reports;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>The pieces that every request or every page goes through, each alone, by BenchmarkDotNet.</summary>
internal sealed class HotPieces : IPart
{
    public string Name => "micro";

    public Task<PartReport> RunAsync(Effort effort)
    {
        using var folder = new Processes.TemporaryFolder();
        var config = ManualConfig.CreateEmpty()
            .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithLaunchCount(1).WithWarmupCount(3).WithIterationCount(7)
                .WithIterationTime(Perfolizer.Horology.TimeInterval.FromMilliseconds(150)))
            .AddColumnProvider(BenchmarkDotNet.Columns.DefaultColumnProviders.Instance)
            .AddLogger(NullLogger.Instance)
            .WithArtifactsPath(folder.Path);
        var summary = BenchmarkRunner.Run<HotPiecesBenchmarks>(config);
        if (summary.HasCriticalValidationErrors || summary.Reports.IsEmpty || !summary.Reports.All(report => report.Success))
            throw new InvalidOperationException($"BenchmarkDotNet: {string.Join(' ', summary.ValidationErrors)}");
        return Task.FromResult(new PartReport(
            Name,
            "BenchmarkDotNet, 7 iterations in this process; a request's own context is part of what reading it allocates.",
            [
                new Table(
                    "Time and allocated memory",
                    "piece",
                    [new("mean in ns"), new("error in ns"), new("bytes allocated")],
                    [.. summary.Reports.Select(RowOf)]),
            ],
            []));
    }

    private static Row RowOf(BenchmarkDotNet.Reports.BenchmarkReport report)
    {
        var statistics = report.ResultStatistics!;
        return new Row(
            report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\''),
            statistics.Mean,
            statistics.StandardError,
            report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase));
    }
}
