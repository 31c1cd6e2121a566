using System.Diagnostics;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Building;

/// <summary>What "dotnet run" in the app's own folder does, with Core Tools and without.</summary>
public sealed class DotnetRunTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static string[] SearchPath => Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator);

    [Fact]
    public async Task Without_Core_Tools_two_lines_say_what_to_install_and_what_needs_nothing()
    {
        string[] withoutCoreTools =
            [.. SearchPath.Where(folder => folder.Length > 0 && Directory.Exists(folder) && !Directory.EnumerateFiles(folder, "func*").Any(IsCoreTools))];

        var (code, output, errors) = await RunAsync(withoutCoreTools);

        Assert.NotEqual(0, code);
        string[] said = [.. (output + errors).Split('\n').Where(line => line.Contains("error :", StringComparison.Ordinal))];
        Assert.Collection(
            said,
            line => Assert.Contains("npm install --global azure-functions-core-tools@4", line, StringComparison.Ordinal),
            line => Assert.Contains("dotnet run --project BasiqFunctions.LocalHost", line, StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task Core_Tools_are_started_on_the_built_worker_with_the_arguments_given()
    {
        Skip.If(OperatingSystem.IsWindows(), "The stand-in for Core Tools is a shell script.");
        using var folder = new TemporaryDirectory();
        var func = Path.Combine(folder.Path, "func");
        await File.WriteAllTextAsync(func, """
            #!/bin/sh
            [ "$1" = --version ] && { echo 4.6.0; exit; }
            echo "Core Tools: $*"
            ls
            """);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(func, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        var (code, output, errors) = await RunAsync([folder.Path, .. SearchPath], "--verbose");

        Assert.True(code == 0, output + errors);
        var lines = output.Split('\n');
        Assert.Contains("Core Tools: start --verbose", lines);
        Assert.Superset(new HashSet<string> { "host.json", "functions.metadata", "worker.config.json", "BasiqFunctions.dll" }, lines.ToHashSet());
    }

    private static bool IsCoreTools(string file) => Path.GetFileNameWithoutExtension(file) == "func";

    /// <summary>Runs the app as it was built with these tests.</summary>
    private static Task<(int Code, string Output, string Errors)> RunAsync(string[] path, params string[] arguments)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var start = new ProcessStartInfo(
            Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet",
            ["run", "--no-build", "--configuration", configuration, "--project", Path.Combine(Repository.Root, "BasiqFunctions"), "--", .. arguments]);
        start.Environment["PATH"] = string.Join(Path.PathSeparator, path);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        return ChildProcess.RunAsync(start, Patience);
    }
}
