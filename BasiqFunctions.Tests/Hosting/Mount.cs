using System.Diagnostics;
using BasiqFunctions.Benchmarks.Processes;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>A small disk in memory, of which a test may see the end. It takes root's rights on Linux; without them the test is skipped.</summary>
internal sealed class Mount : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    private Mount()
    {
    }

    public string Path => _folder.Path;

    /// <summary>Makes one.</summary>
    /// <param name="options">As <c>mount -o</c> takes them, such as <c>size=8m</c>.</param>
    public static async Task<Mount> TmpfsAsync(string options)
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Needs root's rights on Linux, to mount a disk of its own.");
        var mount = new Mount();
        var (code, errors) = await RunAsync("mount", "-t", "tmpfs", "-o", options, "tmpfs", mount.Path);
        if (code == 0)
            return mount;
        mount._folder.Dispose();
        throw new SkipException($"No disk can be mounted here: {errors}");
    }

    /// <summary>Mounts it anew with other options.</summary>
    public async Task RemountAsync(string options)
    {
        var (code, errors) = await RunAsync("mount", "-o", $"remount,{options}", Path);
        Assert.True(code == 0, errors);
    }

    public void Dispose()
    {
        // A process that was killed a moment ago may still hold on to it: lazily.
        RunAsync("umount", "-l", Path).GetAwaiter().GetResult();
        _folder.Dispose();
    }

    private static async Task<(int Code, string Errors)> RunAsync(string program, params string[] arguments)
    {
        var (code, _, errors) = await ChildProcess.RunAsync(new ProcessStartInfo(program, arguments), TimeSpan.FromSeconds(30));
        return (code, errors);
    }
}
