using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;

namespace BasiqFunctions.Benchmarks.Processes;

/// <summary>
/// A real Azurite (Microsoft's emulator of Azure Storage): installed once per machine from npm, pinned, and started in memory on a free
/// port. It dies with the process that started it, however that ends.
/// </summary>
internal sealed class Azurite : IAsyncDisposable
{
    private const string Version = "3.37.0";
    private const string Account = "storage";

    // The child leaves when its standard input closes, which happens when this process is killed, too.
    private const string Launcher =
        "process.stdin.resume(); process.stdin.on('end', () => process.exit(0)); process.argv = ['node', ...process.argv.slice(1)]; require(process.argv[1]);";

    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(2);

    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(64));
    private Process? _process;

    private Azurite()
    {
    }

    public string ConnectionString =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={_key};BlobEndpoint=http://127.0.0.1:{BlobPort}/{Account};TableEndpoint=http://127.0.0.1:{TablePort}/{Account};QueueEndpoint=http://127.0.0.1:{QueuePort}/{Account};";

    public int BlobPort { get; } = FreePort.Find();

    public int TablePort { get; } = FreePort.Find();

    public int QueuePort { get; } = FreePort.Find();

    /// <summary>Installs it, where it is not yet, and starts it.</summary>
    /// <exception cref="AzuriteException">There is none here; the message says why.</exception>
    public static async Task<Azurite> StartAsync()
    {
        var azurite = new Azurite();
        try
        {
            await azurite.StartAsync(Path.Combine(await NpmPackage.InstallAsync("azurite", Version), "dist", "src", "azurite.js"));
            return azurite;
        }
        catch (Exception e) when (e is Win32Exception or AzuriteException or NpmException or TimeoutException)
        {
            await azurite.DisposeAsync();
            throw new AzuriteException($"No Azurite here: {e.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null)
            return;
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        using var patience = new CancellationTokenSource(StartPatience);
        await _process.WaitForExitAsync(patience.Token);
        _process.Dispose();
    }

    private async Task StartAsync(string script)
    {
        string[] arguments =
        [
            "-e", Launcher, "--", script, "--blobHost", "127.0.0.1", "--blobPort", $"{BlobPort}", "--tableHost", "127.0.0.1", "--tablePort",
            $"{TablePort}", "--queueHost", "127.0.0.1", "--queuePort", $"{QueuePort}", "--inMemoryPersistence", "--skipApiVersionCheck", "--silent",
            "--disableTelemetry",
        ];
        var info = new ProcessStartInfo("node", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        info.Environment["AZURITE_ACCOUNTS"] = $"{Account}:{_key}";
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var said = new List<string>();
        _process = new Process { StartInfo = info, EnableRaisingEvents = true };
        void Hear(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is null)
                return;
            lock (said)
                said.Add(line.Data);
            // The last of its services to start.
            if (line.Data.Contains("table service is successfully listening", StringComparison.OrdinalIgnoreCase))
                ready.TrySetResult();
        }
        _process.OutputDataReceived += Hear;
        _process.ErrorDataReceived += Hear;
        _process.Exited += (_, _) =>
        {
            lock (said)
                ready.TrySetException(new AzuriteException($"it ended: {string.Join(" ", said.Take(6))}"));
        };
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await ready.Task.WaitAsync(StartPatience);
    }
}
