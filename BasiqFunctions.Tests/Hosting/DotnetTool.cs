using BasiqFunctions.Benchmarks.Processes;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>Tools of .NET that a test needs, pinned, in a folder of its own.</summary>
internal static class DotnetTool
{
    /// <summary>Installs a tool, or skips the test where that is not possible.</summary>
    /// <returns>The program.</returns>
    public static async Task<string> InstallAsync(string folder, string package, string version, string command)
    {
        var (code, output, errors) = await ChildProcess.RunAsync(
            new("dotnet", ["tool", "install", package, "--version", version, "--tool-path", folder]), TimeSpan.FromMinutes(4));
        Skip.If(code != 0, $"{package} cannot be installed here: {output}{errors}");
        return Path.Combine(folder, command);
    }
}
