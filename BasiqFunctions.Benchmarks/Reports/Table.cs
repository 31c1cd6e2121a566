namespace BasiqFunctions.Benchmarks.Reports;

/// <summary>A table of measurements.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Labels">What the labels of its rows are.</param>
/// <param name="Columns">The columns after that of the labels.</param>
/// <param name="Rows">The rows.</param>
internal sealed record Table(string Title, string Labels, IReadOnlyList<Column> Columns, IReadOnlyList<Row> Rows);
