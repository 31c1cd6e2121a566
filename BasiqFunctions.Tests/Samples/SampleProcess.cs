using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace BasiqFunctions.Tests.Samples;

/// <summary>A sample that runs until it is killed, by SIGKILL; also when the process that started it is.</summary>
internal sealed class SampleProcess : IDisposable
{
    private const string Script = """
        exec 3<&0
        "$@" </dev/null &
        cat <&3 >/dev/null
        kill -KILL $!
        wait $!
        """;

    private readonly Process _process;
    private readonly StringBuilder _said = new();

    private SampleProcess(Process process) => _process = process;

    /// <summary>What it wrote.</summary>
    public string Said
    {
        get
        {
            lock (_said)
                return _said.ToString();
        }
    }

    public static SampleProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("sh", ["-c", Script, "sh", program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PAGE_LENGTH"] = "10", ["POLL_MS"] = "50" },
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var sample = new SampleProcess(Process.Start(start)!);
        sample._process.OutputDataReceived += sample.Keep;
        sample._process.ErrorDataReceived += sample.Keep;
        sample._process.BeginOutputReadLine();
        sample._process.BeginErrorReadLine();
        return sample;
    }

    public async Task KillAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_said)
            _said.AppendLine(line.Data?.ToString(CultureInfo.InvariantCulture));
    }
}
