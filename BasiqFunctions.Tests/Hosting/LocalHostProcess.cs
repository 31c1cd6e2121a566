using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using BasiqFunctions.Benchmarks.Processes;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>LocalHost as a process of its own, to be killed.</summary>
internal sealed class LocalHostProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private LocalHostProcess(Process process, Uri url)
    {
        _process = process;
        Api = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(url, "api/") };
    }

    public HttpClient Api { get; }

    /// <summary>Everything it wrote to standard output and error.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Starts it and waits until it answers.</summary>
    public static Task<LocalHostProcess> StartAsync(params IEnumerable<string> settings) => StartAsync(new Dictionary<string, string>(), settings);

    /// <summary>Starts it in an environment of its own and waits until it answers.</summary>
    public static async Task<LocalHostProcess> StartAsync(IReadOnlyDictionary<string, string> environment, IEnumerable<string> settings)
    {
        var url = new Uri($"http://127.0.0.1:{FreePort()}");
        var start = Command(url, settings);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.RedirectStandardInput = true;
        var host = new LocalHostProcess(Process.Start(start)!, url);
        host._process.OutputDataReceived += host.Keep;
        host._process.ErrorDataReceived += host.Keep;
        host._process.BeginOutputReadLine();
        host._process.BeginErrorReadLine();
        await host.WaitUntilUpAsync();
        return host;
    }

    /// <summary>Starts one that must not come up, and gives what it says.</summary>
    public static async Task<string> RefusalAsync(params IEnumerable<string> settings)
    {
        var (code, output, errors) = await ChildProcess.RunAsync(Command(new Uri("http://127.0.0.1:0"), settings), Patience);
        Assert.True(code == 2, $"It ended with {code}: {output} {errors}");
        return errors;
    }

    /// <summary>Ends it with SIGKILL: no handler runs, nothing is flushed.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
        Api.Dispose();
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static ProcessStartInfo Command(Uri url, IEnumerable<string> settings)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "BasiqFunctions.LocalHost.dll"), $"--urls={url}", "--Sandbox:Url=http://127.0.0.1:0" },
        };
        foreach (var setting in settings)
            start.ArgumentList.Add($"--{setting}");
        return start;
    }

    private async Task WaitUntilUpAsync()
    {
        var since = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var answer = await Api.GetAsync(new Uri("health", UriKind.Relative));
                return;
            }
            catch (HttpRequestException) when (!_process.HasExited && since.Elapsed < Patience)
            {
                await Task.Delay(20);
            }
            catch (HttpRequestException)
            {
                Assert.Fail($"LocalHost does not come up. It wrote: {Output}");
            }
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
            _output.AppendLine(line.Data?.ToString(CultureInfo.InvariantCulture));
    }
}
