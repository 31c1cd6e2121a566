using System.Diagnostics;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Building;

/// <summary>What "dotnet run" in the app's own folder does, with Core Tools and without.</summary>
[Trait("Category", "Infra")]
public sealed class DotnetRunTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static string[] SearchPath => Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator);

    [Fact]
    public async Task Without_Core_Tools_two_lines_say_what_to_install_and_what_needs_nothing()
    {
        string[] withoutCoreTools =
            [.. SearchPath.Where(folder => folder.Length > 0 && Directory.Exists(folder) && !Directory.EnumerateFiles(folder, "func*").Any(IsCoreTools))];

        var (code, output, errors) = await RunAsync(withoutCoreTools, settings: "");

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
        await WriteCoreToolsAsync(folder);

        var (code, output, errors) = await RunAsync([folder.Path, .. SearchPath], settings: "dotnet-isolated", "--verbose");

        Assert.True(code == 0, output + errors);
        var lines = output.Split('\n');
        Assert.Contains("Core Tools: start --verbose", lines);
        Assert.Superset(new HashSet<string> { "host.json", "functions.metadata", "worker.config.json", "BasiqFunctions.dll" }, lines.ToHashSet());
    }

    [SkippableFact]
    public async Task Without_settings_one_line_says_which_file_to_copy()
    {
        Skip.If(OperatingSystem.IsWindows(), "The stand-in for Core Tools is a shell script.");
        Skip.If(File.Exists(Path.Combine(Repository.Root, "local.settings.json")), "There is a local.settings.json.");
        using var folder = new TemporaryDirectory();
        await WriteCoreToolsAsync(folder);

        var (code, output, errors) = await RunAsync([folder.Path, .. SearchPath], settings: "");

        Assert.NotEqual(0, code);
        Assert.Contains("copy local.settings.sample.json", Assert.Single((output + errors).Split('\n'), line => line.Contains("error :", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    /// <summary>A stand-in for Core Tools that tells how it was called, and where.</summary>
    private static async Task WriteCoreToolsAsync(TemporaryDirectory folder)
    {
        var func = Path.Combine(folder.Path, "func");
        await File.WriteAllTextAsync(func, """
            #!/bin/sh
            [ "$1" = --version ] && { echo 4.6.0; exit; }
            echo "Core Tools: $*"
            ls
            """);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(func, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private static bool IsCoreTools(string file) => Path.GetFileNameWithoutExtension(file) == "func";

    /// <summary>Runs the app as it was built with these tests.</summary>
    /// <param name="path">The folders in which programs are looked for.</param>
    /// <param name="settings">The worker's language as a setting of the environment; empty for none.</param>
    /// <param name="arguments">For Core Tools.</param>
    private static Task<(int Code, string Output, string Errors)> RunAsync(string[] path, string settings, params string[] arguments)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var start = new ProcessStartInfo(
            Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet",
            ["run", "--no-build", "--configuration", configuration, "--project", Path.Combine(Repository.Root, "BasiqFunctions"), "--", .. arguments]);
        start.Environment["PATH"] = string.Join(Path.PathSeparator, path);
        start.Environment["FUNCTIONS_WORKER_RUNTIME"] = settings;
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        return ChildProcess.RunAsync(start, Patience);
    }
}
