using System.Diagnostics;
using System.Runtime.InteropServices;

namespace BasiqFunctions.Benchmarks.Processes;

/// <summary>Publishes projects of this repository as one deploys them: compiled ahead of time to ReadyToRun code.</summary>
internal static class Publishing
{
    /// <summary>Publishes into a folder of its own, and returns the assembly to start.</summary>
    /// <exception cref="InvalidOperationException">It cannot be published; the message has what was said.</exception>
    public static async Task<string> PublishAsync(string project, TemporaryFolder into)
    {
        var path = Directory.EnumerateFiles(Path.Combine(RepositoryFolder(), project), "*.csproj").Single();
        var name = Path.GetFileNameWithoutExtension(path);
        var folder = Path.Combine(into.Path, name);
        var start = new ProcessStartInfo(
            "dotnet",
            [
                "publish", path, "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "--self-contained", "false", "-o", folder,
                // Compiling ahead takes packages of this machine's kind, which the lock files have no place for.
                "-p:PublishReadyToRun=true", "-p:NuGetLockFilePath=obj/packages.lock.json", "-nologo", "-v:q", "-nodeReuse:false",
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? Path.Combine(folder, name + ".dll")
            : throw new InvalidOperationException($"{project} cannot be published: {output}");
    }

    private static string RepositoryFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "BasiqFunctions.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("The benchmark stands outside of its repository: run it from there.");
    }
}
