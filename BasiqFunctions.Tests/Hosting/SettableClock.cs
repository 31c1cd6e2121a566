using System.Globalization;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>The wall clock of a process, set by libfaketime while time passes as ever. Without that library the test is skipped.</summary>
internal sealed class SettableClock : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public SettableClock()
    {
        var library = Directory.Exists("/usr/lib") ? Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu*")
            .Select(folder => Path.Combine(folder, "faketime/libfaketimeMT.so.1")).FirstOrDefault(File.Exists) : null;
        if (library is null)
        {
            _folder.Dispose();
            throw new SkipException("Needs libfaketime, on Debian the package faketime.");
        }

        Environment = new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = library,
            ["FAKETIME_TIMESTAMP_FILE"] = Offset,
            ["FAKETIME_CACHE_DURATION"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            ["DONT_FAKE_MONOTONIC"] = "1",

            // Else each wait of the runtime ends at once, and it waits by spinning.
            ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
        };
        Set(TimeSpan.Zero);
    }

    /// <summary>What a process needs to go by it.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    private string Offset => Path.Combine(_folder.Path, "offset");

    /// <summary>Sets it, within about a second.</summary>
    /// <param name="from">How far from the real time.</param>
    public void Set(TimeSpan from)
    {
        var next = Offset + ".next";
        File.WriteAllText(next, from.TotalSeconds.ToString("+0;-0", CultureInfo.InvariantCulture));
        File.Move(next, Offset, overwrite: true);
    }

    public void Dispose() => _folder.Dispose();
}
