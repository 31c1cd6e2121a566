namespace BasiqFunctions.Benchmarks.Processes;

/// <summary>A folder that goes with its owner.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("basiq-functions-benchmarks-").FullName;

    /// <summary>How many bytes the files below a path in it have.</summary>
    public long SizeOf(string path)
    {
        var info = new DirectoryInfo(System.IO.Path.Combine(Path, path));
        return info.Exists
            ? info.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length)
            : info.Parent is { Exists: true } parent ? parent.EnumerateFiles(info.Name + "*").Sum(file => file.Length) : 0;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
