using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.LocalHost.Records;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Sandbox;
using Microsoft.Data.Sqlite;

namespace BasiqFunctions.FaultTests;

/// <summary>LocalHost as a process of its own: killed and started again at the same address, its files taken away and given back.</summary>
internal sealed partial class Host : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("basiq-functions-faults-").FullName;
    private readonly string _aside = Directory.CreateTempSubdirectory("basiq-functions-faults-aside-").FullName;
    private readonly StringBuilder _output = new();
    private readonly Uri _url = new($"http://127.0.0.1:{FreePort.Find()}");
    private readonly string[] _settings;
    private Process? _process;
    private bool _isVaultBroken;

    /// <param name="upstream">The sandbox.</param>
    public Host(Uri upstream)
    {
        Disk = Disk.TryMount(_folder);
        Clock = new HostClock(_aside);
        Clock.Set(TimeSpan.Zero);
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
            "--Idempotency:Lease=00:00:10",
            "--Reports:FirstPollDelay=00:00:00.3",
            "--Reports:MaxPollDelay=00:00:01",
            "--Reports:JobTimeout=00:00:30",
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

    /// <summary>What its files lie on; null where it has no disk of its own.</summary>
    public Disk? Disk { get; }

    public HostClock Clock { get; }

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

    /// <summary>What it has written to disk but for the snapshots: records, journal, secrets, whatever else lies there. Its lock is empty, and nobody may open it.</summary>
    public IEnumerable<string> Files => Directory.EnumerateFiles(State, "*", SearchOption.TopDirectoryOnly).Where(file => Path.GetFileName(file) != "lock");

    /// <summary>The blobs of snapshots, and of reports.</summary>
    public IEnumerable<string> Blobs => Directory.EnumerateFiles(Store, "*", SearchOption.AllDirectories);

    private string State => Path.Combine(_folder, "state");

    private string Store => Path.Combine(_folder, "store");

    private string Snapshots => Path.Combine(State, "snapshots");

    private string JournalFile => Path.Combine(State, "journal.db");

    private string RecordsFile => Path.Combine(State, "records.db");

    private string Secrets => Path.Combine(State, "keyvault.json");

    private string NextSecrets => Secrets + ".next";

    /// <summary>Starts it, with its secrets back in their place, and waits until it answers: it does not start without them.</summary>
    /// <exception cref="InvalidOperationException">It ended, or did not answer in time; the message holds the end of what it wrote.</exception>
    public async Task StartAsync()
    {
        if (await TryStartAsync() is { } output)
            throw new InvalidOperationException($"LocalHost does not come up. It wrote: {output[^Math.Min(4000, output.Length)..]}");
    }

    /// <summary>Starts it, and waits until it answers or has ended.</summary>
    /// <returns>What it wrote, when it has ended; null when it answers.</returns>
    private async Task<string?> TryStartAsync()
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
        foreach (var (name, value) in Clock.Environment)
            start.Environment[name] = value;
        var before = Output.Length;
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
                return null;
            }
            catch (Exception exception) when (exception is HttpRequestException or SocketException && !_process.HasExited && since.Elapsed < Patience)
            {
                await Task.Delay(20);
            }
            catch (Exception exception) when (exception is HttpRequestException or SocketException)
            {
                Kill();
                return Output[before..];
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
    public async Task MakeDueAsync(string function)
    {
        await using var journal = Journal.Open(JournalFile);
        var (last, next) = await journal.FindTimerAsync(function, CancellationToken.None)
            ?? throw new InvalidOperationException($"The journal does not know the timer {function}.");
        await journal.SaveTimerAsync(function, last, next.AddDays(-2));
    }

    /// <summary>Has these users be looked at by the pass of today. Not while LocalHost runs.</summary>
    public async Task MakeDueAsync(IEnumerable<string> userIds)
    {
        using var tables = SqliteRecordTables.Open(RecordsFile);
        var due = new DueWork(((IRecordTables)tables).Open(new DueOptions().Table), new Yesterday());
        foreach (var userId in userIds)
            await due.SetAllAsync(new(userId), CancellationToken.None);
    }

    /// <summary>How much of what was due by today has still to be done.</summary>
    public long CountDue()
    {
        using var records = new SqliteConnection($"Data Source={RecordsFile};Pooling=False;Mode=ReadOnly");
        records.Open();
        using var command = records.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM records WHERE name = $table AND part >= '2' AND part < $tomorrow";
        command.Parameters.AddWithValue("$table", new DueOptions().Table);
        command.Parameters.AddWithValue("$tomorrow", DueWork.DayOf(DateTimeOffset.UtcNow.AddDays(1)));
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>Whether it has still to run for the time that it was missed.</summary>
    public bool IsDue(string function)
    {
        using var journal = new SqliteConnection($"Data Source={JournalFile};Pooling=False");
        journal.Open();
        using var command = journal.CreateCommand();
        command.CommandText = "SELECT next <= $now FROM timers WHERE function = $function";
        command.Parameters.AddWithValue("$now", DateTime.UtcNow.Ticks);
        command.Parameters.AddWithValue("$function", function);
        return command.ExecuteScalar() is 1L;
    }

    /// <summary>
    /// Starts it on a journal, or on records, of which one bit is another: it refuses, and names the file and the ways out, of which the
    /// first is taken, a copy; or the bit matters to nobody. Not while it runs.
    /// </summary>
    /// <returns>What it should have said and did not; null when it did, or none came of the bit.</returns>
    public async Task<string?> StartDamagedAsync(bool isJournal, Random random)
    {
        var file = isJournal ? JournalFile : RecordsFile;

        // What it wrote last goes into the file itself.
        if (isJournal)
            await Journal.Open(file).DisposeAsync();
        else
            SqliteRecordTables.Open(file).Dispose();
        var sound = await File.ReadAllBytesAsync(file);
        var damaged = (byte[])sound.Clone();
        damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));

        // A record that is damaged is told when it is asked for, which nobody may do: here it has to be one that a start sees.
        if (!isJournal && !await IsSeenAsync(damaged))
            damaged[random.Next(16)] = (byte)'x';
        await File.WriteAllBytesAsync(file, damaged);
        var refusal = await TryStartAsync();
        if (refusal is null)
            return isJournal ? null : $"{file} is damaged, and LocalHost started.";

        var untouched = (await File.ReadAllBytesAsync(file)).AsSpan().SequenceEqual(damaged);
        await File.WriteAllBytesAsync(file, sound);
        foreach (var left in (string[])["-wal", "-shm"])
            File.Delete(file + left);
        await StartAsync();
        return refusal.Contains($"'{file}' is damaged; nothing in it has been changed", StringComparison.Ordinal)
            && refusal.Contains("Put a copy of it in its place, or move it away", StringComparison.Ordinal) && untouched
            ? null
            : $"LocalHost does not start on a damaged {file}, {(untouched ? "which it left" : "which it changed")}; it wrote: {refusal}";

        async Task<bool> IsSeenAsync(byte[] content)
        {
            var copy = Path.Combine(_aside, "records.db");
            await File.WriteAllBytesAsync(copy, content);
            try
            {
                SqliteRecordTables.Open(copy).Dispose();
                return false;
            }
            catch (StoreUnavailableException)
            {
                return true;
            }
        }
    }

    /// <summary>Flips a bit in one of the files of somebody's snapshot. False when there is none, or it went away just then.</summary>
    public bool TryDamageSnapshot(string userId, Random random)
    {
        try
        {
            var files = Directory.GetFiles(Path.Combine(Store, userId), "*", SearchOption.AllDirectories);
            using var file = new FileStream(files[random.Next(files.Length)], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length == 0)
                return false;
            file.Position = random.NextInt64(file.Length);
            var old = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(old ^ (1 << random.Next(8))));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
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
        Disk?.Dispose();
        Directory.Delete(_folder, recursive: true);
        Directory.Delete(_aside, recursive: true);
        return ValueTask.CompletedTask;
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

    /// <summary>What is due tomorrow by this clock is due today.</summary>
    private sealed class Yesterday : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddDays(-1);
    }
}
