using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace BasiqFunctions.Benchmarks.Processes;

/// <summary>A server as a process of its own, on a free port of this machine; it ends with its owner.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private ServerProcess(Process process, int port)
    {
        _process = process;
        Port = port;
        Url = new Uri($"http://127.0.0.1:{port}");
    }

    public int Port { get; }

    public Uri Url { get; }

    /// <summary>The largest resident set that it has had since it started, or since <see cref="ForgetPeak"/>, in bytes.</summary>
    public long PeakBytes
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64;
        }
    }

    /// <summary>Its resident set now, in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts an assembly that stands beside this one, and waits until it takes connections.</summary>
    /// <param name="assembly">Its file.</param>
    /// <param name="arguments">Its arguments, the address excepted.</param>
    /// <exception cref="InvalidOperationException">It does not come up; the message has what it wrote.</exception>
    public static async Task<ServerProcess> StartAsync(string assembly, params IReadOnlyList<string> arguments)
    {
        var server = Launch(Path.Combine(AppContext.BaseDirectory, assembly), arguments);
        var since = Stopwatch.StartNew();
        while (!await server.TryConnectAsync())
        {
            if (server._process.HasExited || since.Elapsed > Patience)
            {
                await server.DisposeAsync();
                throw new InvalidOperationException($"{assembly} does not come up. It wrote: {server.Output}");
            }

            await Task.Delay(10);
        }

        return server;
    }

    /// <summary>Starts an assembly and does not wait.</summary>
    public static ServerProcess Launch(string path, params IReadOnlyList<string> arguments)
    {
        var port = FreePort.Find();
        var start = Dotnet.Command(path, [.. arguments, $"--urls=http://127.0.0.1:{port}"]);
        start.RedirectStandardError = true;
        var server = new ServerProcess(Process.Start(start)!, port);
        server._process.OutputDataReceived += server.Keep;
        server._process.ErrorDataReceived += server.Keep;
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        return server;
    }

    /// <summary>What it wrote.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Has the operating system measure <see cref="PeakBytes"/> anew, where it can (Linux, proc(5), <c>clear_refs</c>).</summary>
    public void ForgetPeak()
    {
        if (OperatingSystem.IsLinux())
            File.WriteAllText($"/proc/{_process.Id}/clear_refs", "5");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<bool> TryConnectAsync()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
            _output.AppendLine(line.Data);
    }
}
