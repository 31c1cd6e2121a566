using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace BasiqFunctions.Benchmarks.Load;

/// <summary>The process that makes the load: a line of JSON is an order, and the answer to it another line.</summary>
internal static class LoadGenerator
{
    /// <summary>Has all that a socket resumes run on the one thread that watches the sockets: least overhead on a machine that is busy.</summary>
    public const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    public static async Task ServeAsync(TextReader orders, TextWriter results)
    {
        while (await orders.ReadLineAsync() is { } line)
        {
            var order = JsonSerializer.Deserialize(line, LoadJson.Default.LoadOrder)!;
            await results.WriteLineAsync(JsonSerializer.Serialize(await RunAsync(order), LoadJson.Default.LoadResult));
            await results.FlushAsync();
        }
    }

    public static async Task<LoadResult> RunAsync(LoadOrder order)
    {
        var request = Encoding.ASCII.GetBytes(order.Request);
        LoadConnection[] connections = [.. Enumerable.Range(0, order.Connections).Select(_ => new LoadConnection(order, request))];
        string? failure = null;
        var start = Stopwatch.GetTimestamp();
        try
        {
            var until = start + (long)(order.Seconds * Stopwatch.Frequency);
            await Task.WhenAll(connections.Select(connection => connection.RunAsync(until)));
        }
        catch (Exception exception) when (exception is SocketException or InvalidDataException)
        {
            failure = exception.Message;
        }

        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var latencies = new LatencyHistogram();
        foreach (var connection in connections)
        {
            latencies.Add(connection.Latencies);
            connection.Dispose();
        }

        return new LoadResult(
            latencies.Count, took, latencies.Percentile(0.5), latencies.Percentile(0.9), latencies.Percentile(0.99), failure);
    }
}
