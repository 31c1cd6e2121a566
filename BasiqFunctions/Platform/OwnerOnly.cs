namespace BasiqFunctions.Platform;

/// <summary>Files and folders that only the user who runs the app can open. On Windows the profile's own rights do that.</summary>
internal static class OwnerOnly
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static void CreateDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, Owner | UnixFileMode.UserExecute);
    }

    public static FileStream CreateFile(string path) => Open(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write });

    /// <summary>Opens a file, which is made if it is not there, and keeps everybody else from it.</summary>
    public static FileStream Hold(string path) =>
        Open(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None });

    private static FileStream Open(string path, FileStreamOptions options)
    {
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = Owner;
        return new FileStream(path, options);
    }
}
