using System.Globalization;

namespace BasiqFunctions.FaultTests;

/// <summary>The wall clock of LocalHost's processes, which libfaketime sets while time passes as ever.</summary>
/// <param name="folder">Where it keeps what it shows.</param>
internal sealed class HostClock(string folder)
{
    private readonly string? _library = Directory.Exists("/usr/lib")
        ? Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu*")
            .Select(found => Path.Combine(found, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
        : null;

    /// <summary>Whether there is that library.</summary>
    public bool CanBeSet => _library is not null;

    /// <summary>What a process needs to go by it.</summary>
    public IReadOnlyDictionary<string, string> Environment => _library is null ? new Dictionary<string, string>() : new Dictionary<string, string>
    {
        ["LD_PRELOAD"] = _library,
        ["FAKETIME_TIMESTAMP_FILE"] = Shown,
        ["FAKETIME_CACHE_DURATION"] = "1",
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        ["DONT_FAKE_MONOTONIC"] = "1",
    };

    private string Shown => Path.Combine(folder, "clock");

    /// <summary>Sets it, within about a second.</summary>
    /// <param name="from">How far from the real time.</param>
    public void Set(TimeSpan from)
    {
        File.WriteAllText(Shown + ".next", from.TotalSeconds.ToString("+0;-0", CultureInfo.InvariantCulture));
        File.Move(Shown + ".next", Shown, overwrite: true);
    }
}
