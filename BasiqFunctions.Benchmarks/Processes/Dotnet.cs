using System.Diagnostics;

namespace BasiqFunctions.Benchmarks.Processes;

/// <summary>The programs of this repository as child processes, in an environment that nobody's settings reach.</summary>
internal static class Dotnet
{
    /// <summary>An empty folder: no settings of a repository to be found in it, and no files to be watched.</summary>
    private static readonly string Nowhere = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "BasiqFunctions.Benchmarks")).FullName;

    /// <summary>How to start an assembly, from a folder with nothing in it.</summary>
    public static ProcessStartInfo Command(string assembly, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = Nowhere,
        };
        foreach (var name in start.Environment.Keys.Where(IsSetting).ToArray())
            start.Environment.Remove(name);
        return start;
    }

    private static bool IsSetting(string name) =>
        name.Contains("__", StringComparison.Ordinal)
        || name.StartsWith("ASPNETCORE_", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("OTEL_", StringComparison.OrdinalIgnoreCase)
        || name is "AzureWebJobsStorage" or "APPLICATIONINSIGHTS_CONNECTION_STRING";
}
