using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Sandbox;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>LocalHost as the benchmarks start it: a process of its own in front of an upstream, with nothing in its folder.</summary>
internal static class LocalHosts
{
    public const string Assembly = "BasiqFunctions.LocalHost.dll";

    public static string[] Settings(Uri upstream, TemporaryFolder state) =>
    [
        $"--Basiq:BaseUrl={upstream.OriginalString}",
        $"--Basiq:ConsentUrl={upstream.OriginalString}/home",
        $"--Basiq:ApiKey={SandboxOptions.DefaultApiKey}",
        $"--LocalHost:StateDirectory={state.Path}",
    ];

    public static Task<ServerProcess> StartAsync(Uri upstream, TemporaryFolder state, params IReadOnlyList<string> more) =>
        ServerProcess.StartAsync(Assembly, [.. Settings(upstream, state), .. more]);
}
