namespace BasiqFunctions.Benchmarks.Load;

/// <summary>What came of an order.</summary>
/// <param name="Requests">Requests that were answered.</param>
/// <param name="Seconds">How long that took.</param>
/// <param name="P50">Milliseconds that half of the requests took at most.</param>
/// <param name="P90">The same for 90 %.</param>
/// <param name="P99">The same for 99 %.</param>
/// <param name="Failure">Why it ended early; null when it did not.</param>
internal sealed record LoadResult(long Requests, double Seconds, double P50, double P90, double P99, string? Failure)
{
    public double PerSecond => Requests / Seconds;
}
