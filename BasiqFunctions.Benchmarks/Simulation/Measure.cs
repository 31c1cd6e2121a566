using System.Diagnostics;

namespace BasiqFunctions.Benchmarks.Simulation;

/// <summary>What something took, and by how much the heap grew meanwhile at most.</summary>
internal sealed record Measure(double Seconds, double Peak)
{
    private const double Mebibyte = 1 << 20;

    public static async Task<Measure> OfAsync(Func<Task> act)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (idle, peak) = (GC.GetTotalMemory(forceFullCollection: true), 0L);
        using var ended = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            while (!ended.IsCancellationRequested)
            {
                peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false));
                await Task.Delay(5, CancellationToken.None);
            }
        });
        var start = Stopwatch.GetTimestamp();
        await act();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await ended.CancelAsync();
        await watching;
        return new Measure(seconds, Math.Max(0, peak - idle) / Mebibyte);
    }
}
