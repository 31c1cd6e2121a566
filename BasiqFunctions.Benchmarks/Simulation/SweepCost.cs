namespace BasiqFunctions.Benchmarks.Simulation;

/// <summary>What a daily pass cost.</summary>
/// <param name="Calls">Calls to Basiq.</param>
/// <param name="Steps">Storage operations.</param>
/// <param name="Fixed">Of them, those that list what is due on a day, whoever that is.</param>
/// <param name="Others">Of them, those that name a user who is not due.</param>
internal sealed record SweepCost(int Calls, int Steps, int Fixed, int Others);
