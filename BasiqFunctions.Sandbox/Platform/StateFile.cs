using System.Text;
using System.Text.Json;

namespace BasiqFunctions.Sandbox.Platform;

/// <summary>
/// The state on disk: JSON lines, appended and handed to the operating system one by one, so that a killed process loses
/// nothing but perhaps the line it was writing. Only whole lines count; a torn last one is cut off at the next start.
/// </summary>
internal sealed class StateFile(string path) : IDisposable
{
    private readonly Lock _gate = new();
    private FileStream? _stream;

    /// <summary>Reads every whole line, oldest first.</summary>
    /// <exception cref="InvalidDataException">A line that is not the last is not JSON of ours.</exception>
    public static List<StateLine> Read(string path)
    {
        List<StateLine> lines = [];
        if (!File.Exists(path))
            return lines;
        var bytes = File.ReadAllBytes(path).AsSpan();
        var number = 0;
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            number++;
            var line = bytes[..end];
            bytes = bytes[(end + 1)..];
            if (line.IsEmpty)
                continue;
            try
            {
                if (JsonSerializer.Deserialize(line, StateJson.Default.StateLine) is { } parsed)
                    lines.Add(parsed);
            }
            catch (JsonException)
            {
                throw new InvalidDataException($"Line {number} of the sandbox's state file '{path}' is not readable.");
            }
        }

        return lines;
    }

    /// <summary>Replaces the whole file in one step, and leaves it open for appending.</summary>
    public void Rewrite(IEnumerable<StateLine> lines)
    {
        lock (_gate)
        {
            _stream?.Dispose();
            _stream = null;
            var next = path + ".next";
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { Length: > 0 } folder)
                Directory.CreateDirectory(folder);
            using (var stream = Open(next, FileMode.Create))
            {
                foreach (var line in lines)
                    Write(stream, line);
                stream.Flush(flushToDisk: true);
            }

            File.Move(next, path, overwrite: true);
            _stream = Open(path, FileMode.Append);
        }
    }

    public void Append(StateLine line)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stream is null, this);
            Write(_stream, line);
            _stream.Flush();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _stream?.Dispose();
            _stream = null;
        }
    }

    private static void Write(FileStream stream, StateLine line)
    {
        var json = JsonSerializer.Serialize(line, StateJson.Default.StateLine);
        stream.Write(Encoding.UTF8.GetBytes(json + "\n"));
    }

    private static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows())
        {
            // It holds e-mail addresses and the key that tokens are signed with.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }
}
