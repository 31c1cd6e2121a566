using System.Diagnostics;
using System.Text.Json;
using BasiqFunctions.Benchmarks.Load;

namespace BasiqFunctions.Benchmarks.Processes;

/// <summary>The load generator as a process of its own.</summary>
internal sealed class LoadProcess : IAsyncDisposable
{
    private readonly Process _process;

    private LoadProcess(Process process) => _process = process;

    public static LoadProcess Start()
    {
        var start = Dotnet.Command(typeof(LoadProcess).Assembly.Location, Roles.Load);
        start.Environment[LoadGenerator.InlineCompletions] = "1";
        return new LoadProcess(Process.Start(start)!);
    }

    /// <summary>Has an order carried out.</summary>
    /// <exception cref="InvalidOperationException">An answer was not the one that was expected.</exception>
    public async Task<LoadResult> RunAsync(LoadOrder order)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(order, LoadJson.Default.LoadOrder));
        var line = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The load generator has ended.");
        var result = JsonSerializer.Deserialize(line, LoadJson.Default.LoadResult)!;
        return result.Failure is null
            ? result
            : throw new InvalidOperationException($"{order.Request.Split('\r')[0]} at port {order.Port}: {result.Failure}");
    }

    public async ValueTask DisposeAsync()
    {
        // Without further orders it ends by itself.
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
