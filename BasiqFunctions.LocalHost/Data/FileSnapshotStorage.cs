using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using BasiqFunctions.Data;

namespace BasiqFunctions.LocalHost.Data;

/// <summary>
/// Snapshots in files that only their owner can read. A blob's etag is the hash of its content, compared and replaced under a
/// lock: right for any number of writers in one process, and for one process at a time.
/// </summary>
/// <remarks>
/// A name's capitals and underscores are written with an underscore before them (<c>Ab_c</c> is <c>_ab__c</c>), so that two names
/// never meet on a file system that ignores case. No other character needs care: names have none.
/// </remarks>
internal sealed class FileSnapshotStorage : ISnapshotStorage
{
    internal const int MostFolders = 1_000;

    private const string TemporarySuffix = ".tmp";

    // No name is written with a tilde, so no blob can be taken for a temporary file.
    private const char TemporaryPrefix = '~';

    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>A temporary file of another process that is older than this was left by a crash.</summary>
    private static readonly TimeSpan TemporaryGrace = TimeSpan.FromHours(1);

    private static readonly ConcurrentDictionary<string, byte> BeingWritten = new(StringComparer.Ordinal);

    private readonly string _root;
    private readonly TimeProvider _clock;
    private readonly Lock _conditional = new();

    public FileSnapshotStorage(string folder, TimeProvider clock)
    {
        _root = Path.GetFullPath(folder);
        _clock = clock;
        CreateFolder(_root);
    }

    public Task<SnapshotBlobWriter> OpenWriteAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult<SnapshotBlobWriter>(new FileWriter(this, PathOf(name)));
    }

    /// <remarks>Not asynchronously: for each read .NET has a thread of the pool wait, so that this brings no more than another hop.</remarks>
    public Task<SnapshotBlob?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var content = File.ReadAllBytes(PathOf(name));
            return Task.FromResult<SnapshotBlob?>(new SnapshotBlob(content, ETagOf(content)));
        }
        catch (Exception e) when (IsMissing(e))
        {
            return Task.FromResult<SnapshotBlob?>(null);
        }
    }

    public Task<int?> ReadRangeAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using var file = File.OpenHandle(PathOf(name), share: FileShare.Read | FileShare.Delete);
            var total = 0;
            while (total < destination.Length)
            {
                var read = RandomAccess.Read(file, destination.Span[total..], offset + total);
                if (read == 0)
                    break;
                total += read;
            }
            return Task.FromResult<int?>(total);
        }
        catch (Exception e) when (IsMissing(e))
        {
            return Task.FromResult<int?>(null);
        }
    }

    /// <remarks>Not <see cref="File.Exists"/>, which calls a file missing whose disk is out of reach.</remarks>
    public Task<bool> ExistsAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult(!File.GetAttributes(PathOf(name)).HasFlag(FileAttributes.Directory));
        }
        catch (Exception e) when (IsMissing(e))
        {
            return Task.FromResult(false);
        }
    }

    public async Task<string?> TryPutAsync(string name, ReadOnlyMemory<byte> content, string? ifMatch, CancellationToken cancellationToken)
    {
        var path = PathOf(name);
        await using var writer = new FileWriter(this, path);
        await writer.WriteAsync(content, cancellationToken);
        writer.MakeDurable();
        lock (_conditional)
        {
            if (CurrentETag(path) != ifMatch)
                return null;
            writer.Rename();
        }
        return ETagOf(content.Span);
    }

    public Task<bool> TryDeleteAsync(string name, string ifMatch, CancellationToken cancellationToken)
    {
        var path = PathOf(name);
        lock (_conditional)
        {
            if (CurrentETag(path) != ifMatch)
                return Task.FromResult(false);
            File.Delete(path);
        }
        RemoveEmptyFolders(Path.GetDirectoryName(path)!);
        return Task.FromResult(true);
    }

    public async IAsyncEnumerable<SnapshotBlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var blob in List(FolderOf(prefix)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return blob;
        }
        await Task.CompletedTask;
    }

    public Task<SnapshotFolders> ListFoldersAsync(string? continuation, CancellationToken cancellationToken)
    {
        string[] names =
        [
            .. Directory.EnumerateDirectories(_root).Select(folder => Decode(Path.GetFileName(folder)))
                .Where(name => string.CompareOrdinal(name, continuation) > 0).Order(StringComparer.Ordinal).Take(MostFolders),
        ];
        return Task.FromResult(new SnapshotFolders(names, names.Length == MostFolders ? names[^1] : null));
    }

    public Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        var path = PathOf(name);
        try
        {
            lock (_conditional)
                File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            return Task.CompletedTask;
        }
        RemoveEmptyFolders(Path.GetDirectoryName(path)!);
        return Task.CompletedTask;
    }

    public Task DeleteByPrefixAsync(string prefix, CancellationToken cancellationToken)
    {
        var folder = FolderOf(prefix);
        lock (_conditional)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (DirectoryNotFoundException)
            {
                // Gone already, which is what was asked for.
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                // Somebody wrote into it while it was being emptied: the caller, who lists afterwards, tries again.
            }
        }
        if (folder == _root)
            CreateFolder(_root);
        else
            RemoveEmptyFolders(Path.GetDirectoryName(folder)!);
        return Task.CompletedTask;
    }

    private static string ETagOf(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static string? CurrentETag(string path)
    {
        try
        {
            return ETagOf(File.ReadAllBytes(path));
        }
        catch (Exception e) when (IsMissing(e))
        {
            return null;
        }
    }

    private static bool IsMissing(Exception e) => e is FileNotFoundException or DirectoryNotFoundException;

    private static string Encode(string name)
    {
        var text = new StringBuilder(name.Length + 8);
        foreach (var c in name)
        {
            if (c == '_' || char.IsAsciiLetterUpper(c))
                text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }
        return text.ToString();
    }

    private static string Decode(string path)
    {
        var text = new StringBuilder(path.Length);
        for (var i = 0; i < path.Length; i++)
            text.Append(path[i] == '_' && i + 1 < path.Length ? char.ToUpperInvariant(path[++i]) : path[i]);
        return text.ToString();
    }

    private static void CreateFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;

        // Level by level: the mode that is given applies to the last level only.
        if (Path.GetDirectoryName(folder) is { } parent)
            CreateFolder(parent);
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnerOnlyFolder);
    }

    private string PathOf(string name) => Path.Combine(_root, Encode(SnapshotBlobName.Check(name)));

    private string FolderOf(string prefix) =>
        SnapshotBlobName.CheckPrefix(prefix).Length == 0 ? _root : Path.Combine(_root, Encode(prefix[..^1]));

    private List<SnapshotBlobInfo> List(string folder)
    {
        var blobs = new List<SnapshotBlobInfo>();
        List<FileSystemInfo> entries;
        try
        {
            entries = [.. new DirectoryInfo(folder).EnumerateFileSystemInfos()];
        }
        catch (DirectoryNotFoundException)
        {
            return blobs;
        }
        foreach (var entry in entries)
        {
            if (entry is DirectoryInfo)
            {
                blobs.AddRange(List(entry.FullName));
            }
            else if (entry.Name[0] == TemporaryPrefix)
            {
                RemoveIfAbandoned((FileInfo)entry);
            }
            else if (entry is FileInfo { Exists: true } file)
            {
                var name = Decode(Path.GetRelativePath(_root, file.FullName).Replace(Path.DirectorySeparatorChar, '/'));
                blobs.Add(new SnapshotBlobInfo(name, file.Length, file.LastWriteTimeUtc));
            }
        }
        return blobs;
    }

    private void RemoveIfAbandoned(FileInfo temporary)
    {
        if (BeingWritten.ContainsKey(temporary.FullName) || _clock.GetUtcNow() - temporary.LastWriteTimeUtc < TemporaryGrace)
            return;
        temporary.Delete();
        RemoveEmptyFolders(temporary.DirectoryName!);
    }

    private void RemoveEmptyFolders(string folder)
    {
        while (folder.Length > _root.Length)
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (DirectoryNotFoundException)
            {
                // Somebody else removed it.
            }
            catch (IOException)
            {
                // Not empty.
                return;
            }
            folder = Path.GetDirectoryName(folder)!;
        }
    }

    /// <summary>Writes beside the target, makes it durable, renames it.</summary>
    private sealed class FileWriter : SnapshotBlobWriter
    {
        private const int MaxAttempts = 100;

        private readonly FileSnapshotStorage _storage;
        private readonly string _path;
        private readonly string _temporary;
        private FileStream? _file;

        public FileWriter(FileSnapshotStorage storage, string path)
        {
            _storage = storage;
            _path = path;
            _temporary = Path.Combine(Path.GetDirectoryName(path)!, $"{TemporaryPrefix}{Guid.NewGuid():N}{TemporarySuffix}");
            BeingWritten.TryAdd(_temporary, 0);
            _file = Open();
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(_file is null, this);
            return _file.WriteAsync(bytes, cancellationToken);
        }

        public override Task CommitAsync(CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            MakeDurable();
            lock (_storage._conditional)
                Rename();
            return Task.CompletedTask;
        }

        public void MakeDurable()
        {
            ObjectDisposedException.ThrowIf(_file is null, this);
            _file.Flush(flushToDisk: true);
            _file.Dispose();
            _file = null;
            File.SetLastWriteTimeUtc(_temporary, _storage._clock.GetUtcNow().UtcDateTime);
        }

        public void Rename()
        {
            File.Move(_temporary, _path, overwrite: true);
            BeingWritten.TryRemove(_temporary, out _);
        }

        public override async ValueTask DisposeAsync()
        {
            if (_file is not null)
                await _file.DisposeAsync();
            _file = null;
            if (!BeingWritten.ContainsKey(_temporary))
                return;
            try
            {
                File.Delete(_temporary);
            }
            catch (DirectoryNotFoundException)
            {
                // The whole folder was removed.
            }
            BeingWritten.TryRemove(_temporary, out _);
            _storage.RemoveEmptyFolders(Path.GetDirectoryName(_path)!);
        }

        private FileStream Open()
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.None,
                Options = FileOptions.Asynchronous,
                BufferSize = 0,
            };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = OwnerOnlyFile;
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    CreateFolder(Path.GetDirectoryName(_path)!);
                    return new FileStream(_temporary, options);
                }
                catch (DirectoryNotFoundException) when (attempt < MaxAttempts)
                {
                    // Somebody deleted the last blob of the folder, and with it the folder, between the two steps.
                }
                catch
                {
                    BeingWritten.TryRemove(_temporary, out _);
                    throw;
                }
            }
        }
    }
}
