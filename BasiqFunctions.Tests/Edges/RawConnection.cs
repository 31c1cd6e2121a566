using System.Net.Sockets;
using System.Text;

namespace BasiqFunctions.Tests.Edges;

/// <summary>A connection that sends what no HTTP client would, byte by byte if need be.</summary>
internal sealed class RawConnection : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TcpClient _client;
    private readonly StringBuilder _received = new();
    private readonly byte[] _buffer = new byte[4096];
    private Task<int>? _reading;

    private RawConnection(TcpClient client) => _client = client;

    /// <summary>What has come back so far.</summary>
    public string Received => _received.ToString();

    public static async Task<RawConnection> OpenAsync(Uri to)
    {
        var client = new TcpClient();
        await client.ConnectAsync(to.Host, to.Port);
        return new RawConnection(client);
    }

    /// <summary>Sends text, a character a byte; false when the other side has closed the connection.</summary>
    public async Task<bool> TrySendAsync(string text)
    {
        try
        {
            await _client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));
            return true;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Reads until what came back is as wanted, or the other side closes the connection.</summary>
    public async Task<string> ReadUntilAsync(Func<string, bool> isEnough)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!isEnough(Received) && await ReadAsync().WaitAsync(patience.Token))
        {
            // What was read is looked at again.
        }

        return Received;
    }

    /// <summary>Reads until the other side closes the connection.</summary>
    public Task<string> ReadToEndAsync() => ReadUntilAsync(_ => false);

    /// <summary>Takes what comes within a moment.</summary>
    public async Task<string> GlanceAsync()
    {
        var read = ReadAsync();
        await Task.WhenAny(read, Task.Delay(20));
        return Received;
    }

    public void Dispose() => _client.Dispose();

    private async Task<bool> ReadAsync()
    {
        int length;
        try
        {
            length = await (_reading ??= _client.GetStream().ReadAsync(_buffer).AsTask());
        }
        catch (IOException)
        {
            return false;
        }

        if (_reading is null)
            return true;
        _reading = null;
        _received.Append(Encoding.Latin1.GetString(_buffer, 0, length));
        return length > 0;
    }
}
