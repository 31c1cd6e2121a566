namespace BasiqFunctions.Benchmarks.Reports;

/// <summary>What one part of the benchmark found.</summary>
/// <param name="Part">Its name on the command line.</param>
/// <param name="How">How it was measured, in a sentence or two.</param>
/// <param name="Tables">What came out.</param>
/// <param name="Goals">What was to be held.</param>
internal sealed record PartReport(string Part, string How, IReadOnlyList<Table> Tables, IReadOnlyList<Goal> Goals);
