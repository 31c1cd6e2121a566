namespace BasiqFunctions.Benchmarks.Reports;

/// <summary>A row: what was measured, and a number for each column; null where there is none.</summary>
internal sealed record Row(string Label, params IReadOnlyList<double?> Values);
