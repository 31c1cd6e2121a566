using System.Diagnostics;
using System.Reflection;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Infrastructure;

/// <summary>The Bicep compiler that this project's build brought along, on copies of <c>infra/</c>.</summary>
internal static class BicepCompiler
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>The compiler; null where the build brought none.</summary>
    public static string? Location { get; } = typeof(BicepCompiler).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(metadata => metadata.Key == "BicepPath")?.Value is { } path && File.Exists(path)
            ? path
            : null;

    public static void SkipWithout() => Skip.If(
        Location is null,
        "There is no Bicep compiler here: its package is for Linux x64. Name one by an environment variable BicepPath, and build again.");

    /// <summary>
    /// Compiles an environment, after some changes to its sources, and works out what its deployment would make. Nothing of it
    /// goes to Azure.
    /// </summary>
    public static async Task<Deployment> CompileAsync(string environment, params SourceChange[] changes)
    {
        using var copy = Copy();
        foreach (var change in changes)
            await change.ApplyAsync(copy.Path);
        var infra = Path.Combine(copy.Path, "infra");
        var (code, output) = await RunAsync(
            infra,
            "snapshot",
            $"{environment}.bicepparam",
            "--mode=overwrite",
            $"--subscription-id={Deployment.SubscriptionId}",
            $"--tenant-id={Deployment.TenantId}",
            "--location=australiaeast");
        Assert.True(code == 0, output);
        return Deployment.Read(environment, await File.ReadAllTextAsync(Path.Combine(infra, $"{environment}.snapshot.json")));
    }

    /// <summary>A copy of all that the templates are made of; the compiler writes beside its sources.</summary>
    public static TemporaryDirectory Copy()
    {
        var copy = new TemporaryDirectory();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "infra"), "*", SearchOption.AllDirectories)
            .Append(Path.Combine(Repository.Root, "host.json")))
        {
            var target = Path.Combine(copy.Path, Path.GetRelativePath(Repository.Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return copy;
    }

    /// <summary>Runs the compiler.</summary>
    /// <returns>Its exit code, and all that it said.</returns>
    public static async Task<(int Code, string Output)> RunAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(Location!, arguments)
        {
            WorkingDirectory = folder,
        };

        // What a deployment takes from its surroundings.
        start.Environment["BUDGET_START"] = "2026-12-01";
        start.Environment["ALERT_EMAIL"] = "on-call@example.com";
        start.Environment.Remove("AZURE_ENV_NAME");
        start.Environment.Remove("AZURE_LOCATION");
        var (code, output, errors) = await ChildProcess.RunAsync(start, Patience);
        return (code, output + errors);
    }
}
