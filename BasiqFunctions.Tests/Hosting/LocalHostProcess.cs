using System.Diagnostics;
using System.Globalization;
using System.Text;
using BasiqFunctions.Benchmarks.Processes;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>LocalHost as a process of its own, to be killed.</summary>
internal sealed class LocalHostProcess : IDisposable
{
    /// <summary>What it writes before its address.</summary>
    private const string Address = "Console:";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private readonly TaskCompletionSource<Uri> _url = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LocalHostProcess(Process process) => _process = process;

    public HttpClient Api { get; } = new(new HttpClientHandler { AllowAutoRedirect = false });

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

    /// <summary>Starts it in an environment of its own, at a port that it finds itself, and waits until it says which.</summary>
    public static async Task<LocalHostProcess> StartAsync(IReadOnlyDictionary<string, string> environment, IEnumerable<string> settings)
    {
        var start = Command(settings);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.RedirectStandardInput = true;
        var host = new LocalHostProcess(Process.Start(start)!);
        host._process.OutputDataReceived += host.Keep;
        host._process.ErrorDataReceived += host.Keep;
        host._process.BeginOutputReadLine();
        host._process.BeginErrorReadLine();
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            if (await Task.WhenAny(host._url.Task, host._process.WaitForExitAsync(patience.Token)) != host._url.Task)
                Assert.Fail($"LocalHost does not come up. It wrote: {host.Output}");
            host.Api.BaseAddress = new Uri(await host._url.Task, "api/");
            return host;
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    /// <summary>Starts one that must not come up, and gives what it says.</summary>
    public static async Task<string> RefusalAsync(params IEnumerable<string> settings)
    {
        var (code, output, errors) = await ChildProcess.RunAsync(Command(settings), Patience);
        Assert.True(code == 2, $"It ended with {code}: {output} {errors}");
        Assert.DoesNotContain("   at ", output + errors, StringComparison.Ordinal);
        return errors;
    }

    /// <summary>Ends it with SIGKILL: no handler runs, nothing is flushed.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Ends it as a service manager does, so that all that it had to say is in the output. Windows has no SIGTERM.</summary>
    public async Task StopAsync()
    {
        if (OperatingSystem.IsWindows())
            Kill();
        else
            await ChildProcess.RunAsync(new("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]), Patience);
        using var patience = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(patience.Token);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
        Api.Dispose();
    }

    /// <param name="settings">Beyond ports that the system chooses.</param>
    private static ProcessStartInfo Command(IEnumerable<string> settings)
    {
        var start = new ProcessStartInfo("dotnet") { ArgumentList = { Path.Combine(AppContext.BaseDirectory, "BasiqFunctions.LocalHost.dll") } };
        var given = settings.ToList();
        foreach (var port in (string[])["urls=http://127.0.0.1:0", "Sandbox:Url=http://127.0.0.1:0"])
        {
            if (!given.Exists(setting => setting.StartsWith(port[..(port.IndexOf('=') + 1)], StringComparison.Ordinal)))
                given.Add(port);
        }

        foreach (var setting in given)
            start.ArgumentList.Add($"--{setting}");

        // A process that is killed would leave the sockets and pipes of the runtime's diagnostics in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return start;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
            _output.AppendLine(line.Data?.ToString(CultureInfo.InvariantCulture));
        if (line.Data is { } said && said.StartsWith(Address, StringComparison.Ordinal))
            _url.TrySetResult(new Uri(said[Address.Length..].Trim()));
    }
}
