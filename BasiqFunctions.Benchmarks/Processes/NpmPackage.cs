using System.Diagnostics;

namespace BasiqFunctions.Benchmarks.Processes;

/// <summary>Programs from npm, pinned, each installed once per machine.</summary>
internal static class NpmPackage
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Installs a package where it is not yet, and runs no script of its own.</summary>
    /// <returns>Its folder.</returns>
    /// <exception cref="NpmException">npm does not give it.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no npm.</exception>
    /// <exception cref="TimeoutException">It takes too long.</exception>
    public static async Task<string> InstallAsync(string name, string version)
    {
        var folder = Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create) is { Length: > 0 } data ? data : Path.GetTempPath(),
            "basiq-functions-tests",
            $"{name}-{version}");
        var package = Path.Combine(folder, "node_modules", name);
        var done = Path.Combine(folder, "installed");
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);

        // Several test runs may come at once; the first installs.
        using var turn = await TakeTurnAsync($"{folder}.lock");
        if (File.Exists(done))
            return package;

        // An npm that was killed half-way leaves files that its next run takes for a finished install.
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), "{\"private\":true}");
        await RunAsync(folder, "install", $"{name}@{version}", "--save-exact");
        await File.WriteAllTextAsync(done, "");
        return package;
    }

    /// <summary>Runs npm in a folder.</summary>
    /// <inheritdoc cref="InstallAsync" path="/exception"/>
    public static async Task RunAsync(string folder, params string[] arguments)
    {
        var info = new ProcessStartInfo(
            OperatingSystem.IsWindows() ? "npm.cmd" : "npm", [.. arguments, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
        {
            WorkingDirectory = folder,
        };
        var (code, _, errors) = await ChildProcess.RunAsync(info, Patience);
        if (code != 0)
            throw new NpmException($"npm {arguments[0]} ended with {code}: {errors.Trim()}");
    }

    private static async Task<FileStream> TakeTurnAsync(string path)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var retry = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                try
                {
                    await retry.WaitForNextTickAsync(patience.Token);
                }
                catch (OperationCanceledException)
                {
                    throw new TimeoutException("another test run is installing it, and does not finish.");
                }
            }
        }
    }
}
