namespace BasiqFunctions.Benchmarks.Reports;

/// <summary>A column of numbers.</summary>
/// <param name="Name">What they are, with the unit.</param>
/// <param name="Decimals">How many digits after the point are worth showing.</param>
internal sealed record Column(string Name, int Decimals = 0);
