using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace BasiqFunctions.Benchmarks.Load;

/// <summary>One connection that sends a request and waits for its answer, again and again.</summary>
internal sealed class LoadConnection(LoadOrder order, byte[] request) : IDisposable
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[16 * 1024];

    public LatencyHistogram Latencies { get; } = new();

    /// <summary>Runs until a timestamp has passed.</summary>
    /// <exception cref="InvalidDataException">An answer has another status, or is none.</exception>
    public async Task RunAsync(long until)
    {
        await _socket.ConnectAsync(IPAddress.Loopback, order.Port);
        while (Stopwatch.GetTimestamp() is var start && start < until)
        {
            await _socket.SendAsync(request);
            await ReceiveAsync();
            Latencies.Add((Stopwatch.GetTimestamp() - start) * NanosecondsPerSecond / Stopwatch.Frequency);
        }
    }

    public void Dispose() => _socket.Dispose();

    private async ValueTask ReceiveAsync()
    {
        var received = 0;
        int status, length;
        do
        {
            if (received == _buffer.Length)
                Array.Resize(ref _buffer, 2 * _buffer.Length);
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(received));
            if (read == 0)
                throw new InvalidDataException("The connection was closed.");
            received += read;
        }
        while (!HttpAnswer.TryRead(_buffer.AsSpan(0, received), out status, out length));
        if (status != order.Status)
            throw new InvalidDataException($"Answered {status} instead of {order.Status}.");
        if (length != received)
            throw new InvalidDataException("More came than one answer.");
    }
}
