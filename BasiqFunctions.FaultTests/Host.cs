using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using BasiqFunctions.Sandbox;
using Microsoft.Data.Sqlite;

namespace BasiqFunctions.FaultTests;

/// <summary>LocalHost as a process of its own: killed and started again at the same address, its files taken away and given back.</summary>
internal sealed partial class Host : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("basiq-functions-faults-").FullName;
    private readonly StringBuilder _output = new();
    private readonly Uri _url = new($"http://127.0.0.1:{FreePort()}");
    private readonly string[] _settings;
    private Process? _process;
    private bool _isVaultBroken;

    /// <param name="upstream">The sandbox.</param>
    public Host(Uri upstream)
    {
        _settings =
        [
            $"--Basiq:BaseUrl={upstream.OriginalString}",
            $"--Basiq:ConsentUrl={upstream.OriginalString}/home",
            $"--Basiq:ApiKey={SandboxOptions.DefaultApiKey}",
            "--Basiq:RetryDelay=00:00:00.05",
            $"--LocalHost:StateDirectory={State}",
            "--Sync:FirstPollDelay=00:00:00.3",
            "--Sync:MaxPollDelay=00:00:01",
            "--Sync:RetryDelay=00:00:00.3",
            "--Sync:PageSize=100",
            "--Sync:PagesPerActivity=3",
        ];
        Directory.CreateDirectory(State);
        Directory.CreateDirectory(Store);

        // A link, since a link can be swapped for a broken one in one step: storage fails, and never seems to be empty.
        Directory.CreateSymbolicLink(Snapshots, Store);
        Api = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false })
        {
            BaseAddress = new Uri(_url, "api/"),
            Timeout = TimeSpan.FromSeconds(90),
        };
    }

    public HttpClient Api { get; }

    public int Starts { get; private set; }

    /// <summary>Everything it has written to standard output and error, all its processes together.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    private string State => Path.Combine(_folder, "state");

    private string Store => Path.Combine(_folder, "store");

    private string Snapshots => Path.Combine(State, "snapshots");

    private string Secrets => Path.Combine(State, "keyvault.json");

    private string NextSecrets => Secrets + ".next";

    /// <summary>Starts it, with its secrets back in their place, and waits until it answers: it does not start without them.</summary>
    /// <exception cref="InvalidOperationException">It ended, or did not answer in time; the message holds the end of what it wrote.</exception>
    public async Task StartAsync()
    {
        MendVault();
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "BasiqFunctions.LocalHost.dll"), $"--urls={_url.OriginalString}" },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = _folder,
        };
        foreach (var setting in _settings)
            start.ArgumentList.Add(setting);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Starts++;
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
            catch (HttpRequestException exception)
            {
                throw new InvalidOperationException($"LocalHost does not come up. It wrote: {Output[^Math.Min(4000, Output.Length)..]}", exception);
            }
        }
    }

    /// <summary>Ends it with SIGKILL: no handler runs, nothing is flushed.</summary>
    public void Kill()
    {
        if (_process is null)
            return;
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Lets a timer function have been missed: it runs at the next start. Not while LocalHost runs.</summary>
    public void MakeDue(string function) =>
        OfTimer(function, "UPDATE timers SET next = next - $ticks WHERE function = $function", TimeSpan.FromDays(2).Ticks);

    /// <summary>Whether it has still to run for the time that it was missed.</summary>
    public bool IsDue(string function) =>
        OfTimer(function, "SELECT next <= $ticks FROM timers WHERE function = $function", DateTime.UtcNow.Ticks) is 1L;

    private object? OfTimer(string function, string sql, long ticks)
    {
        using var journal = new SqliteConnection($"Data Source={Path.Combine(State, "journal.db")};Pooling=False");
        journal.Open();
        using var command = journal.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$ticks", ticks);
        command.Parameters.AddWithValue("$function", function);
        return command.ExecuteScalar();
    }

    /// <summary>Every read and write of a snapshot fails from now on.</summary>
    public void BreakStorage() => Link(Snapshots, Snapshots);

    public void MendStorage() => Link(Store, Snapshots);

    /// <summary>A secret can be neither read anew nor written. False when there is none yet.</summary>
    public bool TryBreakVault()
    {
        if (!File.Exists(Secrets))
            return false;
        try
        {
            // First no save can begin any more, and one under way has ended: then what is copied is the last word.
            if (File.Exists(NextSecrets))
                return false;
            Directory.CreateDirectory(NextSecrets);
        }
        catch (IOException)
        {
            return false;
        }

        File.Copy(Secrets, Secrets + ".away", overwrite: true);
        Link(Secrets, Secrets);
        _isVaultBroken = true;
        return true;
    }

    /// <summary>Ends an outage, if there is one.</summary>
    public void MendVault()
    {
        if (!_isVaultBroken)
            return;
        _isVaultBroken = false;
        Rename(Secrets + ".away", Secrets);
        Directory.Delete(NextSecrets);
    }

    public ValueTask DisposeAsync()
    {
        Kill();
        Api.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Link(string target, string at)
    {
        var fresh = Path.Combine(_folder, "link");
        File.CreateSymbolicLink(fresh, target);
        Rename(fresh, at);
    }

    /// <summary>rename(2): replaces in one step, and does not follow links, which .NET's own moves do.</summary>
    private static void Rename(string from, string to)
    {
        if (RenameFile(from, to) != 0)
            throw new IOException($"'{from}' cannot be renamed to '{to}': error {Marshal.GetLastPInvokeError()}.");
    }

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int RenameFile(string from, string to);

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
            _output.AppendLine(line.Data);
    }
}
