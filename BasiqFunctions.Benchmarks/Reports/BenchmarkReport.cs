namespace BasiqFunctions.Benchmarks.Reports;

/// <summary>A whole run.</summary>
internal sealed record BenchmarkReport(DateTimeOffset At, string Command, Machine Machine, IReadOnlyList<PartReport> Parts);
