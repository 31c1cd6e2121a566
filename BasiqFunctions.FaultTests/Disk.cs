using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace BasiqFunctions.FaultTests;

/// <summary>A disk in memory that LocalHost has to itself, and that can be full: Linux alone has it, for root or whoever may become root by sudo.</summary>
internal sealed partial class Disk : IDisposable
{
    private const string Roomy = "size=4g";

    private readonly string _folder;

    private Disk(string folder) => _folder = folder;

    /// <summary>Puts one in a folder's place; null where that cannot be.</summary>
    public static Disk? TryMount(string folder)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var options = string.Create(CultureInfo.InvariantCulture, $"{Roomy},mode=700,uid={UserId()}");
        return TryRun("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder) ? new Disk(folder) : null;
    }

    /// <summary>Leaves it no room, or next to none. False when it was written to just then.</summary>
    public bool TryFill()
    {
        var disk = new DriveInfo(_folder);
        var used = (disk.TotalSize - disk.TotalFreeSpace).ToString(CultureInfo.InvariantCulture);
        return TryRun("mount", "-o", $"remount,size={used}", _folder);
    }

    public void MakeRoom()
    {
        if (!TryRun("mount", "-o", $"remount,{Roomy}", _folder))
            throw new IOException($"The disk at '{_folder}' does not become larger.");
    }

    public void Dispose() => TryRun("umount", "-l", _folder);

    private static bool TryRun(params string[] command)
    {
        if (!Environment.IsPrivilegedProcess)
            command = ["sudo", "-n", .. command];
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            // There is no such program.
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint UserId();
}
